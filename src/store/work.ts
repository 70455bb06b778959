/**
 * The to-do list. A row says only *that* a subject wants looking at, never what to do
 * about it: whoever claims it reads the facts afresh. So rows may be woken twice, looked
 * at twice, or lost and re-made, without harm.
 */

import type { Queryable } from './queryable.ts'

export interface Subject {
  readonly kind: string
  readonly subject: string
  /** Whose manager looks after it. */
  readonly region: string
}

export interface Claim {
  readonly kind: string
  readonly subject: string
  /** How often the subject had been woken when we claimed it. */
  readonly wakes: string
  readonly leased_until: string
  readonly failures: number
}

/** The channel on which a region's managers are hurried. */
export function channelOf(region: string): string {
  return `work_${region}`
}

/** Called in the transaction that changed what is wanted. */
export async function wake(db: Queryable, it: Subject): Promise<void> {
  await wakeAll(db, [it])
}

/** In one order, so that two who wake the same subjects never wait for each other. */
export async function wakeAll(
  db: Queryable,
  subjects: readonly Subject[],
): Promise<void> {
  if (subjects.length === 0) return
  await db.query(
    `with woken as (
       insert into work (kind, subject, region)
       select distinct kind, subject, region
         from unnest($1::text[], $2::uuid[], $3::text[]) as it (kind, subject, region)
        order by kind, subject
       on conflict (kind, subject)
       do update set run_at = least(work.run_at, now()), wakes = work.wakes + 1
       returning region)
     select pg_notify($4 || region, '') from (select distinct region from woken) as heard`,
    [
      subjects.map((it) => it.kind),
      subjects.map((it) => it.subject),
      subjects.map((it) => it.region),
      channelOf(''),
    ],
  )
}

/** A part of the to-do list. */
export interface Part {
  readonly region: string
  readonly kinds: readonly string[]
  /** Whom we hold. Where the clock is set forward, leases run out before their time. */
  readonly except?: readonly Pick<Claim, 'kind' | 'subject'>[]
}

/** Takes up to `limit` subjects that are due, each for `leaseSeconds`; who is longest due, first. */
export async function claim(
  db: Queryable,
  from: Part,
  { limit, leaseSeconds }: { readonly limit: number; readonly leaseSeconds: number },
): Promise<Claim[]> {
  const { rows } = await db.query(
    `with claimed as (
       update work
          set leased_until = now() + make_interval(secs => $4)
        where (kind, subject) in (
          select kind, subject from work
           where region = $1 and kind = any($2) and run_at <= now()
             and (leased_until is null or leased_until <= now())
             and (kind, subject) not in (select * from unnest($5::text[], $6::uuid[]))
           order by run_at
           limit $3
             for update skip locked)
       returning kind, subject, wakes, leased_until, failures, run_at)
     select kind, subject, wakes::text, leased_until::text, failures from claimed
      order by run_at, kind, subject`,
    [from.region, from.kinds, limit, leaseSeconds, ...exceptions(from)],
  )
  return rows as Claim[]
}

export interface Due {
  /** Milliseconds until the region's next subject is due: Infinity if none ever is. */
  readonly within: number
  /** What the database's clock showed, in milliseconds. */
  readonly now: number
}

export async function nextDue(db: Queryable, from: Part): Promise<Due> {
  const { rows } = await db.query(
    `select extract(epoch from
              min(greatest(run_at, coalesce(leased_until, run_at))) - now()) * 1000 as due,
            extract(epoch from now()) * 1000 as now
       from work
      where region = $1 and kind = any($2) and run_at < 'infinity'
        and (kind, subject) not in (select * from unnest($3::text[], $4::uuid[]))`,
    [from.region, from.kinds, ...exceptions(from)],
  )
  const [{ due, now }] = rows as [{ due: string | null; now: string }]
  const within = due === null ? Infinity : Math.max(0, Number(due))
  return { within, now: Number(now) }
}

function exceptions({ except = [] }: Part): [kinds: string[], subjects: string[]] {
  return [except.map((it) => it.kind), except.map((it) => it.subject)]
}

/**
 * The clock went back by so many milliseconds: who is due at a time of before is due as much
 * sooner. One that is being woken meanwhile is due at once.
 */
export async function bringForward(
  db: Queryable,
  from: { readonly region: string; readonly kinds: readonly string[] },
  milliseconds: number,
): Promise<void> {
  await db.query(
    `update work set run_at = run_at - make_interval(secs => $3)
      where (kind, subject) in (
        select kind, subject from work
         where region = $1 and kind = any($2) and run_at > now() and run_at < 'infinity'
           for update skip locked)`,
    [from.region, from.kinds, milliseconds / 1000],
  )
}

/** All that waits for a time: what the clock showed when that was set is not known any more. */
export async function makeDue(db: Queryable, region: string): Promise<void> {
  await db.query(
    `update work set run_at = now()
      where region = $1 and run_at > now() and run_at < 'infinity'`,
    [region],
  )
}

/** What is said of a subject when it is put down. */
export interface PutDown extends Claim {
  /** Until the next look; Infinity: until woken. */
  readonly seconds: number
  /** Of a look that failed: it is tried again then, woken or not. Null: it did not. */
  readonly error: string | null
}

/**
 * Puts subjects down; one that was woken while we held it is due at once. Those whose lease
 * had run out, so that they may be another's now, are left alone. Resolves to those that are
 * still ours, for another try: somebody is waking them at this moment. Waiting for one while
 * we hold others would be waiting in a ring with whoever wakes several.
 */
export async function putDown(
  db: Queryable,
  subjects: readonly PutDown[],
): Promise<PutDown[]> {
  const { rows } = await db.query(
    `with ours as (
       select work.kind, work.subject, work.leased_until, put.nth, put.wakes, put.seconds,
              put.error
         from unnest($1::text[], $2::uuid[], $3::bigint[], $4::timestamptz[], $5::float8[],
                     $6::text[])
              with ordinality as put (kind, subject, wakes, leased_until, seconds, error, nth)
         join work on work.kind = put.kind and work.subject = put.subject
                   and work.leased_until = put.leased_until),
     free as (
       select kind, subject from work where (kind, subject) in (select kind, subject from ours)
          for update skip locked),
     down as (
       update work
          set leased_until = null,
              failures = case when ours.error is null then 0 else failures + 1 end,
              heeded = case when ours.error is null then ours.wakes else heeded end,
              last_error = ours.error,
              run_at = case when ours.error is null and work.wakes <> ours.wakes then now()
                            when ours.seconds = 'Infinity' then 'infinity'
                            else now() + make_interval(secs => ours.seconds) end
         from ours join free using (kind, subject)
        where work.kind = ours.kind and work.subject = ours.subject
          and work.leased_until = ours.leased_until
       returning ours.nth)
     select nth::integer from ours where nth not in (select nth from down)`,
    [
      subjects.map((it) => it.kind),
      subjects.map((it) => it.subject),
      subjects.map((it) => it.wakes),
      subjects.map((it) => it.leased_until),
      subjects.map((it) => it.seconds),
      subjects.map((it) => it.error),
    ],
  )
  return (rows as { nth: number }[]).flatMap(({ nth }) => subjects[nth - 1] ?? [])
}

/** Forgets leases of a region's dead manager, so that its successor need not wait for them. */
export async function forgetLeases(db: Queryable, region: string): Promise<void> {
  await db.query('update work set leased_until = null where region = $1', [region])
}

/**
 * Forgets subjects that want no look until they are woken: waking makes their rows anew. So
 * what happened once, as a one-off dyno or a build, leaves nothing on the list.
 */
export async function forgetResting(db: Queryable, region: string): Promise<void> {
  await db.query(
    `delete from work where region = $1 and run_at = 'infinity' and leased_until is null`,
    [region],
  )
}
