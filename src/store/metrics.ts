/** What whoever watches over the installation is told of all apps at once. */

import { HOUR, later, MINUTE } from '../lib/clock.ts'
import type { AppId, DynoId } from '../model/ids.ts'
import type { Queryable } from './queryable.ts'

export interface DynoMemory {
  readonly dyno: DynoId
  /** Bytes. */
  readonly used: number
  readonly quota: number
}

export async function putDynoMemory(
  db: Queryable,
  all: readonly DynoMemory[],
): Promise<void> {
  if (all.length === 0) return
  await db.query(
    `insert into dyno_memory (dyno, used, quota, at)
     select dynos.id, it.used, it.quota, now()
       from unnest($1::uuid[], $2::bigint[], $3::bigint[]) as it (dyno, used, quota)
       join dynos on dynos.id = it.dyno
     on conflict (dyno) do update
        set used = excluded.used, quota = excluded.quota, at = excluded.at`,
    [
      all.map((it) => it.dyno),
      all.map((it) => Math.round(it.used)),
      all.map((it) => it.quota),
    ],
  )
}

export interface PlatformMetrics {
  readonly apps: readonly { readonly id: AppId; readonly name: string }[]
  readonly dynos: readonly {
    readonly app: string
    readonly type: string
    readonly state: string
    readonly count: number
  }[]
  readonly wanted: readonly {
    readonly app: string
    readonly type: string
    readonly size: string
    readonly count: number
  }[]
  /** In the past hour. */
  readonly stops: readonly {
    readonly app: string
    readonly type: string
    readonly cause: string
    readonly count: number
  }[]
  /** Of dynos looked at in the past two minutes. */
  readonly memory: readonly {
    readonly app: string
    readonly dyno: string
    readonly used: number
    readonly quota: number
  }[]
}

export async function platformMetrics(
  db: Queryable,
  now: Date,
): Promise<PlatformMetrics> {
  const read = async <Row>(text: string, values: readonly unknown[] = []) =>
    (await db.query(text, values)).rows as Row[]
  return {
    apps: await read(`select id, name from apps where deleted_at is null order by name`),
    dynos: await read(
      `select a.name as app, d.type, d.state, count(*)::integer as count
         from dynos d join apps a on a.id = d.app and a.deleted_at is null
        where d.state <> 'down'
        group by a.name, d.type, d.state order by 1, 2, 3`,
    ),
    wanted: await read(
      `select a.name as app, f.type, f.size, f.quantity as count
         from formations f join apps a on a.id = f.app and a.deleted_at is null
        where f.command is not null order by 1, 2`,
    ),
    stops: await read(
      `select a.name as app, split_part(e.ps, '.', 1) as type,
              coalesce(e.cause, 'unknown') as cause, count(*)::integer as count
         from events e join apps a on a.id = e.app and a.deleted_at is null
        where e.at > $1 and e.kind in ('dyno.stopping', 'dyno.crashed') and e.ps is not null
        group by 1, 2, 3 order by 1, 2, 3`,
      [later(now, -HOUR)],
    ),
    memory: await read(
      `select a.name as app, d.type || '.' || d.ordinal as dyno,
              m.used::float8 as used, m.quota::float8 as quota
         from dyno_memory m
         join dynos d on d.id = m.dyno and d.state in ('starting', 'up') and not d.leaving
         join apps a on a.id = d.app and a.deleted_at is null
        where m.at > $1 order by 1, 2`,
      [later(now, -2 * MINUTE)],
    ),
  }
}
