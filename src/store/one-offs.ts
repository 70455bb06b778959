/** One-off dynos: a row among the dynos, without a formation, and one here. */

import type { Switches } from '../model/app-features.ts'
import type { Dyno } from '../model/dyno.ts'
import type { AccountId, AppId, DynoId, ReleaseId, SlugId } from '../model/ids.ts'
import type { OneOff, OtherCommands } from '../model/one-off.ts'
import type { ProcessTypes } from '../model/procfile.ts'
import type { ReleaseStatus } from '../model/release.ts'
import type { UsedToken } from './accounts.ts'
import { lockApp } from './apps.ts'
import { dynoColumns } from './dynos.ts'
import type { Queryable } from './queryable.ts'
import { type Subject, wakeAll } from './work.ts'

/** What a command of the app would run on. */
export interface Ground {
  readonly region: string
  readonly release: { readonly id: ReleaseId; readonly version: number }
  readonly processTypes: ProcessTypes
  /** Sealed for the app. */
  readonly configVars: Buffer
  readonly formations: readonly { readonly type: string; readonly size: string }[]
  /** The one-offs that run. */
  readonly oneOffs: readonly { readonly size: string }[]
}

/**
 * Of the app's current release; undefined: it has no code. Until the transaction ends,
 * nobody else changes what is wanted of the app.
 */
export async function lockGround(tx: Queryable, app: AppId): Promise<Ground | undefined> {
  // By itself: a statement that waits for the lock does not see what was done meanwhile.
  if (!(await lockApp(tx, app))) return undefined
  const { rows } = await tx.query(
    `select apps.region, json_build_object('id', r.id, 'version', r.version) as release,
            slugs.process_types as "processTypes", r.config_vars as "configVars",
            (select coalesce(json_agg(json_build_object('type', type, 'size', size)
                                      order by type), '[]')
               from formations where app = apps.id and command is not null) as formations,
            (select coalesce(json_agg(json_build_object('size', size)), '[]')
               from dynos where app = apps.id and formation is null
                                and state <> 'down') as "oneOffs"
       from apps
       join releases r on r.id = apps.current_release
       join slugs on slugs.id = r.slug
      where apps.id = $1`,
    [app],
  )
  return (rows as Ground[])[0]
}

/** Numbers that no other live dyno of the app and type may have. */
export async function ordinalsTaken(
  db: Queryable,
  app: AppId,
  type: string,
): Promise<number[]> {
  const { rows } = await db.query(
    `select ordinal from dynos where app = $1 and type = $2 and state <> 'down'`,
    [app, type],
  )
  return (rows as { ordinal: number }[]).map((row) => row.ordinal)
}

export interface NewOneOff extends Pick<
  Dyno,
  'id' | 'app' | 'release' | 'type' | 'ordinal' | 'size' | 'command' | 'port'
> {
  readonly region: string
  readonly account: AccountId
  /** That it is asked for by; null: by none. */
  readonly token: UsedToken | null
  /** Sealed for the app. */
  readonly environment: Buffer
  /** Of the secret that its client will show; null: it runs detached. */
  readonly attachSecret: Buffer | null
  readonly terminal: OneOff['terminal']
  /** Seconds. */
  readonly timeToLive: number | null
  readonly releasePhase: ReleaseId | null
}

/** Returns when it was added, by the database's clock. */
export async function addOneOff(tx: Queryable, it: NewOneOff): Promise<Date> {
  const { rows } = await tx.query(
    `with dyno as (
       insert into dynos (id, app, release, region, type, ordinal, size, command, port,
                          created_at, updated_at, carries_on)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, now(), now(), $16::uuid is not null)
       returning id, created_at
     ), one_off as (
       insert into one_offs (dyno, account, environment, attach_secret_sha256, columns, rows,
                             time_to_live, release_phase, "authorization", rotations)
       select id, $10, $11, $12, $13, $14, $15, $16, $17, $18 from dyno)
     select created_at as "createdAt" from dyno`,
    [
      it.id,
      it.app,
      it.release,
      it.region,
      it.type,
      it.ordinal,
      it.size,
      it.command,
      it.port,
      it.account,
      it.environment,
      it.attachSecret,
      it.terminal?.columns ?? null,
      it.terminal?.rows ?? null,
      it.timeToLive,
      it.releasePhase,
      it.token?.authorization ?? null,
      it.token?.rotations ?? null,
    ],
  )
  const [row] = rows as { createdAt: Date }[]
  if (!row) throw new Error(`one-off ${it.id} was not added`)
  return row.createdAt
}

/** A one-off with what it needs to run. */
export interface FoundOneOff {
  readonly oneOff: OneOff
  readonly region: string
  readonly appName: string
  /** Who owns its app; where that is a team, who founded it. */
  readonly tenant: AccountId
  readonly appIsThere: boolean
  readonly releaseStatus: ReleaseStatus
  readonly otherCommands: OtherCommands
  readonly slug: SlugId
  readonly stack: string
  readonly slugChecksum: string | null
  readonly switches: Switches
  /** Sealed for the app: its config vars, and the one-off's own variables. */
  readonly configVars: Buffer
  readonly environment: Buffer
}

/** Undefined once it is down. */
export async function findOneOff(
  db: Queryable,
  id: DynoId,
): Promise<FoundOneOff | undefined> {
  const { rows } = await db.query(
    `select d.*, o.attach_secret_sha256 is not null as attached,
            case when o.columns is not null and o.rows is not null
                 then json_build_object('columns', o.columns, 'rows', o.rows) end as terminal,
            o.time_to_live * 1000 as "timeToLive", o.attached_at as "attachedAt",
            o.detached_at as "detachedAt", o.hang_ups as "hangUps",
            o.hung_up_at as "hungUpAt", o.unresponsive_at as "unresponsiveAt",
            o.release_phase as "releasePhase", a.region, a.name as "appName",
            coalesce(t.founder, a.owner) as tenant,
            a.deleted_at is null as "appIsThere", r.status as "releaseStatus", r.slug,
            coalesce(others.run, false) as run, others.ended_at as "endedAt",
            s.stack, s.checksum as "slugChecksum",
            coalesce((select json_object_agg(name, enabled)
                        from app_features where app = a.id), '{}') as switches,
            r.config_vars as "configVars", o.environment
       from (select ${dynoColumns} from dynos
              where id = $1 and formation is null and state <> 'down') as d
       join one_offs o on o.dyno = d.id
       join apps a on a.id = d.app
       left join teams t on t.id = a.owner
       join releases r on r.id = d.release
       join slugs s on s.id = r.slug
       -- Of use to who waits for its turn, and only since then.
       left join lateral (
         select bool_or(other.exited_at is null) as run, max(other.exited_at) as ended_at
           from (select id, exited_at from dynos
                  where app = d.app and formation is null and state <> 'down'
                 union all
                 select id, exited_at from dynos
                  where app = d.app and formation is null and state = 'down'
                    and updated_at > d."createdAt") as other
           join one_offs on one_offs.dyno = other.id
          where o.release_phase is not null and d.state = 'starting' and other.id <> d.id
            and one_offs.release_phase is not null) as others on true`,
    [id],
  )
  const [row] = rows as (OneOff & OtherCommands & Omit<FoundOneOff, 'oneOff'>)[]
  if (!row) return undefined
  const { region, appName, tenant, appIsThere, releaseStatus, run, endedAt, ...rest } =
    row
  const { slug, stack, slugChecksum, switches, configVars, environment, ...oneOff } = rest
  return {
    oneOff,
    region,
    appName,
    tenant,
    appIsThere,
    releaseStatus,
    otherCommands: { run, endedAt },
    slug,
    stack,
    slugChecksum,
    switches,
    configVars,
    environment,
  }
}

/** That its client was told once more to go, or that it goes on all the same. */
export async function noteHangUp(
  tx: Queryable,
  id: DynoId,
  note: Pick<OneOff, 'hangUps' | 'hungUpAt' | 'unresponsiveAt'>,
): Promise<void> {
  await tx.query(
    `update one_offs set hang_ups = $2, hung_up_at = $3, unresponsive_at = $4
      where dyno = $1`,
    [id, note.hangUps, note.hungUpAt, note.unresponsiveAt],
  )
}

/** Every live one-off of a region, to be looked at when its manager starts. */
export async function oneOffsOf(db: Queryable, region: string): Promise<DynoId[]> {
  const { rows } = await db.query(
    `select id from dynos where region = $1 and formation is null and state <> 'down'`,
    [region],
  )
  return (rows as { id: DynoId }[]).map((row) => row.id)
}

/** Has the manager look at the app's one-offs. */
export async function wakeOneOffs(tx: Queryable, app: AppId): Promise<void> {
  const { rows } = await tx.query(
    `select id as subject, 'one-off' as kind, region from dynos
      where app = $1 and formation is null and state <> 'down'`,
    [app],
  )
  await wakeAll(tx, rows as Subject[])
}
