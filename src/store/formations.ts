import type { Switches } from '../model/app-features.ts'
import type { Formation } from '../model/formation.ts'
import type { AccountId, FormationId } from '../model/ids.ts'
import type { Queryable } from './queryable.ts'

/** A formation with what its dynos need to boot. */
export interface FormationFacts {
  readonly formation: Formation
  readonly region: string
  readonly appName: string
  /** Who owns its app; where that is a team, who founded it. */
  readonly tenant: AccountId
  readonly stack: string
  readonly slugChecksum: string | null
  /** Sealed for the app. */
  readonly configVars: Buffer
  readonly switches: Switches
}

/** As wanted now; undefined while the app has no code, so that nothing could run. */
export async function formationFacts(
  db: Queryable,
  id: FormationId,
): Promise<FormationFacts | undefined> {
  const { rows } = await db.query(
    `select formations.id, formations.app, formations.type, formations.size,
            coalesce(formations.command, '') as command,
            case when apps.deleted_at is null and formations.command is not null
                 then formations.quantity else 0 end as quantity,
            releases.id as release, releases.slug,
            coalesce(apps.released_at, releases.created_at) as "releasedAt",
            apps.deleted_at is null
              and releases.ready_at is null and not releases.automatic
              and releases.status = 'succeeded'
              and exists (select from releases earlier
                           where earlier.app = apps.id and earlier.version < releases.version
                             and earlier.status = 'succeeded'
                             and earlier.ready_at is not null)
              -- Nor is the next one on its way.
              and not exists (select from releases pending
                               where pending.app = apps.id
                                 and pending.status = 'pending') as "onTrial",
            releases.ready_at is not null as proven,
            apps.idle_since is not null as idle,
            slugs.healthchecks -> formations.type as "healthCheck",
            apps.region, apps.name as "appName", slugs.stack,
            coalesce(teams.founder, apps.owner) as tenant,
            slugs.checksum as "slugChecksum", releases.config_vars as "configVars",
            coalesce((select json_object_agg(name, enabled)
                        from app_features where app = apps.id), '{}') as switches
       from formations
       join apps on apps.id = formations.app
       left join teams on teams.id = apps.owner
       join releases on releases.id = apps.current_release
       join slugs on slugs.id = releases.slug
      where formations.id = $1`,
    [id],
  )
  const [row] = rows as (Formation & Omit<FormationFacts, 'formation'>)[]
  if (!row) return undefined
  const { region, appName, tenant, stack, slugChecksum, ...others } = row
  const { configVars, switches, ...formation } = others
  return {
    formation,
    region,
    appName,
    tenant,
    stack,
    slugChecksum,
    configVars,
    switches,
  }
}

/** Every formation of a region, to be looked at when its manager starts. */
export async function formationIdsOfRegion(
  db: Queryable,
  region: string,
): Promise<readonly FormationId[]> {
  const { rows } = await db.query(
    `select formations.id from formations join apps on apps.id = formations.app
      where apps.region = $1`,
    [region],
  )
  return (rows as { id: FormationId }[]).map((row) => row.id)
}
