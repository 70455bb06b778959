import type { Formation } from '../model/formation.ts'
import type { FormationId } from '../model/ids.ts'
import type { Queryable } from './queryable.ts'

/** A formation with what its dynos need to boot. */
export interface FormationFacts {
  readonly formation: Formation
  readonly region: string
  readonly appName: string
  readonly stack: string
  /** Sealed for the app. */
  readonly configVars: Buffer
}

/** As wanted now; undefined while the app has no code, so that nothing could run. */
export async function findFormation(
  db: Queryable,
  id: FormationId,
): Promise<FormationFacts | undefined> {
  const { rows } = await db.query(
    `select formations.id, formations.app, formations.type, formations.size,
            coalesce(formations.command, '') as command,
            case when apps.deleted_at is null and formations.command is not null
                 then formations.quantity else 0 end as quantity,
            releases.id as release, releases.slug,
            apps.region, apps.name as "appName", slugs.stack,
            releases.config_vars as "configVars"
       from formations
       join apps on apps.id = formations.app
       join releases on releases.id = apps.current_release
       join slugs on slugs.id = releases.slug
      where formations.id = $1`,
    [id],
  )
  const [row] = rows as (Formation & Omit<FormationFacts, 'formation'>)[]
  if (!row) return undefined
  const { region, appName, stack, configVars, ...formation } = row
  return { formation, region, appName, stack, configVars }
}

/** Every formation of a region, to be looked at when its manager starts. */
export async function formationsOf(
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
