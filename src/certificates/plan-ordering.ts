/**
 * Whether an authority may be asked for another certificate now: a pure function. All apps share
 * the installation's one account with it, of which an authority takes so many orders in a time. So
 * an owner of apps has a part of them; and while it takes none, nobody asks.
 *
 * A `rateLimited` refusal does not say whether the account has had too many, or that one name: a
 * tenant could have everybody wait for hours by a name of theirs. So all wait a minute, and longer
 * only if the next whom it refuses is, too; its owner waits longer, so that the next is another's.
 * And no name is asked for so often that it would be refused for that: what is noted of a domain goes
 * with the domain, so this goes by the name, whoever has it.
 */

import { DAY, HOUR, later, MINUTE } from '../lib/clock.ts'
import { retryAfter, SOONEST_RETRY } from '../model/acm.ts'
import type { OrderingFacts } from '../store/acme-tries.ts'

/** Of an owner's apps, and of those of teams that they founded. Let's Encrypt takes 300 in as long. */
export const ORDERS = { most: 60, within: 3 * HOUR } as const
/** Let's Encrypt takes no more of a name that fails. */
export const ORDERS_OF_NAME = { most: 5, within: HOUR } as const

const FIRST_PAUSE = MINUTE
const LONGER = 4
const OWNER_HELD = HOUR
/** Without a word of the authority's. */
const USUAL_RETRY = HOUR
const LONGEST_RETRY = DAY
/** While it answers nobody, what it would say is not known. */
export const UNANSWERED_RETRY = 15 * MINUTE

export interface OrderingWait {
  readonly until: Date
  /** In a sentence. */
  readonly reason: string
}

/** Undefined: now. What lies further ahead than anybody is told to wait was noted before the clock was set back. */
export function planOrdering(
  { tries, triesOfName, heldUntil, pausedUntil }: OrderingFacts,
  now: Date,
): OrderingWait | undefined {
  const lately = tries.filter((at) => at <= now)
  const first = lately.at(-ORDERS.most)
  const waits = [
    {
      until: first && later(first, ORDERS.within),
      most: ORDERS.within,
      why: `the owner of the app had ${ORDERS.most} ordered within ${ORDERS.within / HOUR} hours, as many as may be`,
    },
    {
      until: nameRests(triesOfName, now),
      most: ORDERS_OF_NAME.within,
      why: 'one was ordered for this name lately',
    },
    { until: heldUntil, most: OWNER_HELD, why: NO_MORE },
    { until: pausedUntil, most: LONGEST_RETRY, why: NO_MORE },
  ].flatMap(({ until, most, why }) =>
    until && until > now && until <= later(now, most) ? [{ until, why }] : [],
  )
  const [last] = waits.toSorted(
    (one, other) => other.until.getTime() - one.until.getTime(),
  )
  return last && { until: last.until, reason: notBefore(last.until, last.why) }
}

/** Until when, after its last order: undefined, if it had none lately. */
function nameRests(tries: readonly Date[], now: Date): Date | undefined {
  const since = later(now, -ORDERS_OF_NAME.within)
  const lately = tries.filter((at) => at > since && at <= now)
  const first = lately.at(-ORDERS_OF_NAME.most)
  if (first) return later(first, ORDERS_OF_NAME.within)
  const last = lately.at(-1)
  return last && later(last, Math.min(retryAfter(lately.length), SOONEST_RETRY))
}

const NO_MORE = 'the authority takes no orders of this installation at the moment'

export function notBefore(until: Date, why: string): string {
  return `It is ordered at ${until.toISOString()} at the earliest: ${why}.`
}

/** When one that it had too many orders for is tried again; `said`: its Retry-After, in milliseconds. */
export function retryOfLimited(said: number | undefined): number {
  return Math.min(Math.max(said ?? USUAL_RETRY, MINUTE), LONGEST_RETRY)
}

/** How long nobody asks, after it took none `refusals` times in a row before; `retry`: at most. Milliseconds. */
export function pauseAfter(refusals: number, retry: number): number {
  return Math.min(FIRST_PAUSE * LONGER ** refusals, retry)
}

export function heldAfter(retry: number): number {
  return Math.min(retry, OWNER_HELD)
}
