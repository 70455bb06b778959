import type { AppEvent } from '../model/event.ts'
import type { AppId } from '../model/ids.ts'
import { FORGOTTEN_AT_ONCE } from './forgotten-at-once.ts'
import { publishDynos } from './publish-dynos.ts'
import { publishReleases } from './publish-releases.ts'
import type { Queryable } from './queryable.ts'

/**
 * Called in the transaction that the events speak of, after the changes to rows. Their order
 * is kept. Webhooks that hear of dynos or releases are told.
 */
export async function writeEvents(
  tx: Queryable,
  events: readonly AppEvent[],
): Promise<void> {
  if (events.length === 0) return
  const { rows } = await tx.query(
    `with event as (
       insert into events (app, at, kind, dyno, ps, release, cause, message)
       select app, at, kind, dyno, ps, release, cause, message
         from jsonb_to_recordset($1) as it (
                app uuid, at timestamptz, kind text, dyno uuid, ps text, release uuid,
                cause text, message text)
       returning app)
     select distinct app from event
      where exists (select from webhooks w
                     where w.app = event.app and w.include && '{dyno, api:dyno, api:release}')`,
    [JSON.stringify(events)],
  )
  const heard = new Set((rows as { app: AppId }[]).map((row) => row.app))
  if (heard.size === 0) return
  const told = events.filter((it) => heard.has(it.app))
  await publishReleases(tx, told)
  await publishDynos(tx, told)
}

/** Tells that somebody asked for something, at the transaction's own time. */
export async function writeWish(
  tx: Queryable,
  { app, kind, message }: Pick<AppEvent, 'app' | 'kind' | 'message'>,
): Promise<void> {
  await tx.query(
    'insert into events (app, at, kind, message) values ($1, now(), $2, $3)',
    [app, kind, message],
  )
}

export interface KeptEvent extends AppEvent {
  /** Ever growing. */
  readonly id: number
}

/** Which of an app's events; what is undefined does not matter. */
export interface WhichEvents {
  readonly kind: string | undefined
  /** By id or place. */
  readonly dyno: string | undefined
  /** The first and last id, in the order asked for. */
  readonly from: number | undefined
  readonly to: number | undefined
  readonly descending: boolean
  readonly most: number
}

export async function findEvents(
  db: Queryable,
  app: AppId,
  { kind, dyno, from, to, descending, most }: WhichEvents,
): Promise<KeptEvent[]> {
  const [least, greatest] = descending ? [to, from] : [from, to]
  const { rows } = await db.query(
    `select id::float8 as id, app, at, kind, dyno, ps, release, cause, message
       from events
      where app = $1 and ($2::text is null or kind = $2)
        and ($3::text is null or $3 in (dyno::text, ps))
        and id >= coalesce($4::bigint, 0) and ($5::bigint is null or id <= $5)
      order by id ${descending ? 'desc' : 'asc'}
      limit $6`,
    [app, kind, dyno, least, greatest, most],
  )
  return rows as KeptEvent[]
}

/** As much of an event as is counted. */
export interface CountedEvent {
  readonly kind: string
  readonly cause: string | null
  readonly at: Date
}

/** Of one process type of the app, in this time. */
export async function dynoEventsOf(
  db: Queryable,
  { app, type }: { readonly app: AppId; readonly type: string },
  {
    kinds,
    from,
    to,
  }: { readonly kinds: readonly string[]; readonly from: Date; readonly to: Date },
): Promise<CountedEvent[]> {
  const { rows } = await db.query(
    `select kind, cause, at from events
      where app = $1 and split_part(ps, '.', 1) = $2 and kind = any($3)
        and at >= $4 and at < $5`,
    [app, type, kinds, from, to],
  )
  return rows as CountedEvent[]
}

/** Forgets events from before `before`, of any apps: some thousands. */
export async function forgetEventsBefore(db: Queryable, before: Date): Promise<void> {
  await db.query(
    `delete from events
      where id = any(array(select id from events where at < $1 order by at limit $2))`,
    [before, FORGOTTEN_AT_ONCE],
  )
}
