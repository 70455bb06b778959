/** Counts of apps' requests by minutes, and later by longer periods. */

import { DAY, HOUR, later, MINUTE, SECOND } from '../lib/clock.ts'
import type { AppId } from '../model/ids.ts'
import type { SparseMeasures } from '../model/router-measures.ts'
import type { Queryable } from './queryable.ts'

/** The counts of an app's minute up to now, as one process has them. */
export interface CountedMinute extends SparseMeasures {
  readonly app: AppId
  readonly at: Date
}

/** Counts of apps that there are not are let go. */
export async function putRouterMeasures(
  db: Queryable,
  writer: string,
  counted: readonly CountedMinute[],
): Promise<void> {
  await db.query(
    `insert into router_measures (app, period, at, writer, dynos, keys, counts, service_total,
                                  service_longest)
     select it.app, 60, it.at, $2,
            (select count(*) from dynos d
              where d.app = it.app and d.type = 'web' and d.state = 'up'),
            it.keys, it.counts, it."serviceTotal", it."serviceLongest"
       from jsonb_to_recordset($1) as it (
              app uuid, at timestamptz, keys smallint[], counts bigint[],
              "serviceTotal" bigint, "serviceLongest" bigint)
       join apps a on a.id = it.app and a.deleted_at is null
     on conflict (app, period, at, writer) do update
        set dynos = least(router_measures.dynos, excluded.dynos), keys = excluded.keys, counts = excluded.counts,
            service_total = excluded.service_total,
            service_longest = excluded.service_longest`,
    [JSON.stringify(counted), writer],
  )
}

/**
 * Forgets what others have counted of these minutes, in which requests are counted once more. A longer
 * period with one of them goes whole: it was taken together when the clock was hours ahead.
 */
export async function forgetMinutes(
  db: Queryable,
  writer: string,
  minutes: readonly Date[],
): Promise<void> {
  for (const { period } of RETENTION) {
    for (const at of minutes) {
      await db.query(
        `delete from router_measures
          where period = $1 and at > $2 and at <= $3 and writer <> $4`,
        [period / SECOND, later(at, -period), at, writer],
      )
    }
  }
}

export interface KeptMeasures extends SparseMeasures {
  readonly app: AppId
  readonly at: Date
  /** The fewest web dynos that were up, those that serve until their successors do included. */
  readonly dynos: number
}

/** Of all periods that begin in this time, in their order. `minutes`: only where they are kept by minutes. */
export async function routerMeasures(
  db: Queryable,
  apps: readonly AppId[],
  { from, to, minutes = false }: { from: Date; to: Date; minutes?: boolean },
): Promise<KeptMeasures[]> {
  const { rows } = await db.query(
    `select app, at, dynos, keys::integer[] as keys, counts::float8[] as counts,
            service_total::float8 as "serviceTotal",
            service_longest::float8 as "serviceLongest"
       from router_measures
      where app = any($1) and period = any($2) and at >= $3 and at < $4
      order by at`,
    [apps, minutes ? [60] : [60, 600, 3600], from, to],
  )
  return rows as KeptMeasures[]
}

/** How long counts are kept by which period; then they are taken together to the next one. */
const RETENTION = [
  { period: MINUTE, kept: 2 * HOUR },
  { period: 10 * MINUTE, kept: DAY },
  { period: HOUR, kept: 3 * DAY },
] as const

export async function ageRouterMeasures(db: Queryable, now: Date): Promise<void> {
  for (const [nth, { period, kept }] of RETENTION.entries()) {
    const next = RETENTION[nth + 1]?.period
    const before = later(now, -kept)
    if (next === undefined) await forget(db, period, before)
    else await takeTogether(db, period, { next, before: floor(before, next) })
  }
}

/** So that a longer period is always made of all its parts at once. */
function floor(at: Date, period: number): Date {
  return new Date(Math.floor(at.getTime() / period) * period)
}

async function takeTogether(
  db: Queryable,
  period: number,
  { next, before }: { readonly next: number; readonly before: Date },
): Promise<void> {
  await db.query(
    `with old as (
       delete from router_measures where period = $1 and at < $2
       returning app, date_bin(make_interval(secs => $3), at, 'epoch') as at, dynos, keys,
                 counts, service_total, service_longest),
     whole as (
       select app, at, min(dynos) as dynos, sum(service_total) as service_total,
              max(service_longest) as service_longest
         from old group by app, at),
     counted as (
       select app, at, key, sum(count) as count
         from old, unnest(keys, counts) as it (key, count) group by app, at, key),
     packed as (
       select app, at, array_agg(key order by key) as keys,
              array_agg(count::bigint order by key) as counts
         from counted group by app, at)
     insert into router_measures (app, period, at, writer, dynos, keys, counts, service_total,
                                  service_longest)
     select app, $3, at, '00000000-0000-0000-0000-000000000000', dynos, keys, counts,
            service_total, service_longest
       from whole join packed using (app, at)
     on conflict do nothing`,
    [period / SECOND, before, next / SECOND],
  )
}

async function forget(db: Queryable, period: number, before: Date): Promise<void> {
  await db.query('delete from router_measures where period = $1 and at < $2', [
    period / SECOND,
    before,
  ])
}

/** Longer without a word from who counts: a gap. */
const LONGEST_SILENCE = MINUTE

/** Says that all requests up to now are written down. A clock that was set back counts anew. */
export async function noteCounting(db: Queryable, now: Date): Promise<void> {
  await db.query(
    `insert into router_counting (since, until) values ($1, $1)
     on conflict (one) do update
        set since = case when router_counting.until < $2 or router_counting.until > $1 then $1 else router_counting.since end,
            until = $1`,
    [now, later(now, -LONGEST_SILENCE)],
  )
}

/** From when to when requests have been counted without a gap; undefined: never yet. */
export async function countedTime(
  db: Queryable,
): Promise<{ readonly since: Date; readonly until: Date } | undefined> {
  const { rows } = await db.query('select since, until from router_counting')
  return (rows as { since: Date; until: Date }[])[0]
}
