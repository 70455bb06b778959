import { canBecome, type Dyno, type DynoState } from '../model/dyno.ts'
import type { DynoId, FormationId } from '../model/ids.ts'
import { FORGOTTEN_AT_ONCE } from './forgotten-at-once.ts'
import type { Queryable } from './queryable.ts'
import type { Subject } from './work.ts'

export const dynoColumns = `id, app, formation, release, type, ordinal, size, command, state, leaving,
  stop_reason as "stopReason", host(address) as address, port, routed, crashes,
  created_at as "createdAt", started_at as "startedAt",
  restart_requested_at as "restartRequestedAt", restart_because as "restartBecause",
  terminated_at as "terminatedAt", killed_at as "killedAt", exited_at as "exitedAt", exit_status as "exitStatus",
  next_attempt_at as "nextAttemptAt", waiting_for as "waitingFor",
  updated_at as "updatedAt"`

/** A formation's dynos that are not down, in the order of their places. */
export async function liveDynos(db: Queryable, formation: FormationId): Promise<Dyno[]> {
  const { rows } = await db.query(
    `select ${dynoColumns} from dynos where formation = $1 and state <> 'down'
      order by ordinal, leaving desc`,
    [formation],
  )
  return rows as Dyno[]
}

/** What a new dyno's row says; the rest begins empty. */
export type NewDyno = Pick<
  Dyno,
  | 'id'
  | 'app'
  | 'formation'
  | 'release'
  | 'type'
  | 'ordinal'
  | 'size'
  | 'command'
  | 'port'
  | 'crashes'
  | 'createdAt'
> & { readonly region: string }

export async function addDynos(db: Queryable, dynos: readonly NewDyno[]): Promise<void> {
  if (dynos.length === 0) return
  await db.query(
    `insert into dynos (id, app, formation, release, region, type, ordinal, size, command,
                        port, crashes, created_at, updated_at, carries_on)
     select id, app, formation, release, region, type, ordinal, size, command,
            port, crashes, "createdAt", "createdAt",
            exists (select from dynos as before
                     where before.formation = dyno.formation and before.ordinal = dyno.ordinal
                       and before.leaving and before.state <> 'down'
                       and before.placed_at is not null)
            -- Of the last that ended: whether any did, all might be read to find that none did.
            or (select coalesce(max(before.updated_at)
                                  > dyno."createdAt" - interval '1 minute', false)
                  from dynos as before
                 where before.formation = dyno.formation and before.ordinal = dyno.ordinal
                   and before.state = 'down' and before.placed_at is not null)
       from jsonb_to_recordset($1) as dyno (
              id uuid, app uuid, formation uuid, release uuid, region text, type text,
              ordinal integer, size text, command text, port integer,
              crashes integer, "createdAt" timestamptz)`,
    [JSON.stringify(dynos)],
  )
}

/** A dyno as it was read, and what its row is to say next. */
export interface DynoMove {
  readonly dyno: Dyno
  readonly next: Partial<Dyno> & { readonly state: DynoState }
}

/**
 * Writes each dyno's next state and the notes that go with it, in one statement. One that
 * another has moved meanwhile is left as it is, and is missing in what is returned: the
 * ids of those moved. What others write (`routed`, `restart_requested_at`, `restart_because`)
 * is left alone. Of one that falls asleep nothing is there any more: it gives its address back.
 */
export async function moveDynos(
  db: Queryable,
  moves: readonly DynoMove[],
  now: Date,
): Promise<ReadonlySet<DynoId>> {
  if (moves.length === 0) return new Set()
  for (const { dyno, next } of moves) {
    if (next.state !== dyno.state && !canBecome(dyno.state, next.state)) {
      throw new Error(`dyno ${dyno.id}: ${dyno.state} cannot become ${next.state}`)
    }
  }
  const rows = moves.map(({ dyno, next }) => ({ ...dyno, ...next, from: dyno.state }))
  const moved = await db.query(
    `update dynos
        set state = next.state, address = case when next.state <> 'idle' then address end,
            leaving = next.leaving, stop_reason = next."stopReason",
            crashes = next.crashes, started_at = next."startedAt",
            terminated_at = next."terminatedAt", killed_at = next."killedAt",
            exited_at = next."exitedAt", exit_status = next."exitStatus",
            next_attempt_at = next."nextAttemptAt", waiting_for = next."waitingFor",
            updated_at = case when next.state = next.from
                               and next."waitingFor" is not distinct from waiting_for
                              then updated_at else $2 end
       from jsonb_to_recordset($1) as next (
              id uuid, "from" text, state text, leaving boolean, "stopReason" text,
              crashes integer, "startedAt" timestamptz, "terminatedAt" timestamptz,
              "killedAt" timestamptz, "exitedAt" timestamptz, "exitStatus" integer,
              "nextAttemptAt" timestamptz, "waitingFor" text)
      where dynos.id = next.id and dynos.state = next.from
        -- So that these rows are looked up, not sought among all.
        and dynos.id = any($3)
     returning dynos.id`,
    [JSON.stringify(rows), now, rows.map((it) => it.id)],
  )
  return new Set((moved.rows as { id: DynoId }[]).map((row) => row.id))
}

/** Of crashed dynos of which nothing is there any more. */
export async function giveBackAddresses(
  db: Queryable,
  ids: readonly DynoId[],
): Promise<void> {
  if (ids.length === 0) return
  await db.query(
    `update dynos set address = null
      where id = any($1) and state = 'crashed' and not routed`,
    [ids],
  )
}

/** The time within which a dyno is to have its process counts from `now` on. */
export async function countStartFrom(
  db: Queryable,
  ids: readonly DynoId[],
  now: Date,
): Promise<void> {
  await db.query(
    `update dynos set updated_at = $2
      where id = any($1) and state = 'starting' and started_at is null`,
    [ids, now],
  )
}

/**
 * Who looks after what runs under these ids: a dyno's formation, a one-off by itself, or a
 * build. Nobody looks after the others.
 */
export async function keepersOf(
  db: Queryable,
  ids: readonly DynoId[],
): Promise<Pick<Subject, 'kind' | 'subject'>[]> {
  const { rows } = await db.query(
    `select distinct case when formation is null then 'one-off' else 'formation' end as kind,
            coalesce(formation, id) as subject
       from dynos where id = any($1) and state <> 'down'
      union all
     select 'build', id from builds where id = any($1) and status = 'pending'`,
    [ids],
  )
  return rows as Pick<Subject, 'kind' | 'subject'>[]
}

/** What may hold something on the region's machine, and who looks after it. */
export interface InUse {
  readonly id: DynoId
  readonly keeper: Pick<Subject, 'kind' | 'subject'>
  /** Its process is taken to run. */
  readonly up: boolean
}

/** Live dynos and builds under way. */
export async function allInUse(db: Queryable, region: string): Promise<InUse[]> {
  const { rows } = await db.query(
    `select id, formation, state = 'up' as up, 'dyno' as kind from dynos
      where region = $1 and state <> 'down'
      union all
     select builds.id, null, false, 'build' from builds join apps on apps.id = builds.app
      where apps.region = $1 and builds.status = 'pending'`,
    [region],
  )
  const found = rows as {
    id: DynoId
    formation: string | null
    up: boolean
    kind: string
  }[]
  return found.map(({ id, formation, up, kind }) => {
    if (formation) return { id, up, keeper: { kind: 'formation', subject: formation } }
    return { id, up, keeper: { kind: kind === 'dyno' ? 'one-off' : kind, subject: id } }
  })
}

/** Forgets dynos that went down before `before`: some thousands of them. */
export async function forgetDynosDownSince(
  db: Queryable,
  region: string,
  before: Date,
): Promise<void> {
  await db.query(
    `delete from dynos
      where id = any(array(select id from dynos
                            where region = $1 and state = 'down' and updated_at < $2
                            order by updated_at limit $3))`,
    [region, before, FORGOTTEN_AT_ONCE],
  )
}

/**
 * Forgets what an app has beyond its last `kept` ended dynos, but none that went down after
 * `before`: some thousands of a region's.
 */
export async function forgetSurplusDynos(
  db: Queryable,
  region: string,
  { kept, before }: { readonly kept: number; readonly before: Date },
): Promise<void> {
  await db.query(
    `delete from dynos
      where id = any(array(
        select surplus.id from apps
         cross join lateral (select updated_at from dynos
                              where app = apps.id and state = 'down'
                              order by updated_at desc offset $2 limit 1) as newest
         cross join lateral (select id from dynos
                              where app = apps.id and state = 'down'
                                and updated_at <= least(newest.updated_at, $3::timestamptz)
                              order by updated_at limit $4) as surplus
         where apps.region = $1 limit $4))`,
    [region, kept, before, FORGOTTEN_AT_ONCE],
  )
}
