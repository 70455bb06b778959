/** What is asked of the installation's account with an authority, which the apps of all have in common. */

import type { AppId } from '../model/ids.ts'
import type { Queryable } from './queryable.ts'

/** As much as decides whether an app may have a certificate ordered for a name. */
export interface OrderingFacts {
  /** When the owner of the app, or whoever founded the team that it is of, had one ordered lately; the oldest first. */
  readonly tries: readonly Date[]
  /** When one was ordered for the name lately, whosever it was; the oldest first. */
  readonly triesOfName: readonly Date[]
  /** The owner's next not before. */
  readonly heldUntil: Date | null
  /** Anybody's next not before. */
  readonly pausedUntil: Date | null
}

/** `since`: what was before it is not asked for. */
export async function orderingFacts(
  db: Queryable,
  {
    directory,
    app,
    hostname,
    since,
  }: {
    readonly directory: string
    readonly app: AppId
    readonly hostname: string
    readonly since: Date
  },
): Promise<OrderingFacts> {
  const { rows } = await db.query(
    `select coalesce(array_agg(t.at order by t.at) filter (where t.id is not null), '{}') as tries,
            array(select at from acme_tries
                   where directory = $2 and hostname = $4 and at > $3
                   order by at) as "triesOfName",
            max(t.held_until) as "heldUntil",
            (select paused_until from acme_accounts where directory = $2) as "pausedUntil"
       from apps a
       left join teams on teams.id = a.owner
       left join acme_tries t on t.owner = coalesce(teams.founder, a.owner)
                                and t.directory = $2 and t.at > $3
      where a.id = $1`,
    [app, directory, since, hostname],
  )
  const [facts] = rows as OrderingFacts[]
  if (!facts) throw new Error('an app without a row is to have a certificate')
  return facts
}

/** Notes that one is asked for now, and forgets those from before `since`. Returns the try's id. */
export async function noteTry(
  db: Queryable,
  {
    directory,
    app,
    hostname,
    now,
    since,
  }: {
    readonly directory: string
    readonly app: AppId
    readonly hostname: string
    readonly now: Date
    readonly since: Date
  },
): Promise<string> {
  const { rows } = await db.query(
    `with gone as (delete from acme_tries where at <= $4)
     insert into acme_tries (directory, owner, hostname, at)
     select $2, coalesce(teams.founder, apps.owner), $5, $3
       from apps left join teams on teams.id = apps.owner
      where apps.id = $1 returning id::text`,
    [app, directory, now, since, hostname],
  )
  const [made] = rows as { id: string }[]
  if (!made) throw new Error('an app without a row is to have a certificate')
  return made.id
}

/** The owner whose try that was has none before. */
export async function holdOwner(
  db: Queryable,
  attempt: string,
  until: Date,
): Promise<void> {
  await db.query('update acme_tries set held_until = $2 where id = $1', [attempt, until])
}

/** How often in a row the authority took no order. */
export async function refusalsOf(db: Queryable, directory: string): Promise<number> {
  const { rows } = await db.query(
    'select refusals from acme_accounts where directory = $1',
    [directory],
  )
  return (rows as { refusals: number }[])[0]?.refusals ?? 0
}

/** It took one more order not; unless another look has noted that as often meanwhile. */
export async function pauseOrders(
  db: Queryable,
  directory: string,
  { refusals, until }: { readonly refusals: number; readonly until: Date },
): Promise<void> {
  await db.query(
    `update acme_accounts set refusals = refusals + 1, paused_until = $3
      where directory = $1 and refusals = $2`,
    [directory, refusals, until],
  )
}

/** It took one. */
export async function resumeOrders(db: Queryable, directory: string): Promise<void> {
  await db.query(
    `update acme_accounts set refusals = 0, paused_until = null
      where directory = $1 and refusals > 0`,
    [directory],
  )
}
