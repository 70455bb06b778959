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
  await db.query(
    `insert into work (kind, subject, region) values ($1, $2, $3)
     on conflict (kind, subject)
     do update set run_at = least(work.run_at, now()), wakes = work.wakes + 1`,
    [it.kind, it.subject, it.region],
  )
  await db.query('select pg_notify($1, $2)', [channelOf(it.region), it.kind])
}

/** Takes up to `limit` subjects that are due, each for `leaseSeconds`. */
export async function claim(
  db: Queryable,
  from: { readonly region: string; readonly kinds: readonly string[] },
  { limit, leaseSeconds }: { readonly limit: number; readonly leaseSeconds: number },
): Promise<Claim[]> {
  const { rows } = await db.query(
    `update work
        set leased_until = now() + make_interval(secs => $4)
      where (kind, subject) in (
        select kind, subject from work
         where region = $1 and kind = any($2) and run_at <= now()
           and (leased_until is null or leased_until < now())
         order by run_at
         limit $3
           for update skip locked)
     returning kind, subject, wakes::text, leased_until::text, failures`,
    [from.region, from.kinds, limit, leaseSeconds],
  )
  return rows as Claim[]
}

/** Milliseconds until the region's next subject is due: Infinity if none ever is. */
export async function nextDue(
  db: Queryable,
  from: { readonly region: string; readonly kinds: readonly string[] },
): Promise<number> {
  const { rows } = await db.query(
    `select extract(epoch from
              min(greatest(run_at, coalesce(leased_until, run_at))) - now()) * 1000 as due
       from work where region = $1 and kind = any($2) and run_at < 'infinity'`,
    [from.region, from.kinds],
  )
  const { due } = rows[0] as { due: string | null }
  return due === null ? Infinity : Math.max(0, Number(due))
}

/**
 * Puts the subject down until `seconds` from now (Infinity: until woken), or not at all if
 * it was woken while we held it. Says false if our lease had run out and it is another's now.
 */
export async function release(
  db: Queryable,
  held: Claim,
  seconds: number,
): Promise<boolean> {
  const { rows } = await db.query(
    `update work
        set leased_until = null, failures = 0, last_error = null,
            run_at = case when wakes <> $3 then now()
                          when $5::float8 = 'Infinity' then 'infinity'
                          else now() + make_interval(secs => $5) end
      where kind = $1 and subject = $2 and leased_until = $4::timestamptz
     returning true`,
    [held.kind, held.subject, held.wakes, held.leased_until, seconds],
  )
  return rows.length === 1
}

/** Puts down a subject whose look failed, to be tried again in `seconds`. */
export async function releaseFailed(
  db: Queryable,
  held: Claim,
  { seconds, error }: { readonly seconds: number; readonly error: string },
): Promise<void> {
  await db.query(
    `update work
        set leased_until = null, failures = failures + 1, last_error = $4,
            run_at = now() + make_interval(secs => $5)
      where kind = $1 and subject = $2 and leased_until = $3::timestamptz`,
    [held.kind, held.subject, held.leased_until, error, seconds],
  )
}

/** Forgets leases of a region's dead manager, so that its successor need not wait for them. */
export async function forgetLeases(db: Queryable, region: string): Promise<void> {
  await db.query('update work set leased_until = null where region = $1', [region])
}
