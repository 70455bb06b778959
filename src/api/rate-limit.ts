/**
 * How many requests each account may make, with all its tokens together, as on Heroku: a
 * bucket that holds an hour's worth and fills steadily. It is kept in memory: a restart forgives.
 */

import { type Clock, HOUR } from '../lib/clock.ts'
import { Problem } from '../model/problem.ts'

export const REQUESTS_PER_HOUR = 4500

export interface RateLimit {
  /** Counts a request, and returns how many are left; the Problem `rate_limit` if none was. */
  take(account: string): number
  left(account: string): number
}

interface Bucket {
  readonly used: number
  readonly at: number
}

/** `perHour` is asked each time, so that it may change. */
export function rateLimit(clock: Clock, perHour: () => number): RateLimit {
  const buckets = new Map<string, Bucket>()
  return {
    left: (account) => Math.floor(perHour() - usedBy(account)),
    take(account) {
      const used = usedBy(account) + 1
      if (used > perHour()) {
        throw new Problem(
          'rate_limit',
          'Your account reached the API rate limit. Please wait a few minutes before making new requests.',
        )
      }
      buckets.set(account, { used, at: clock.now().getTime() })
      return Math.floor(perHour() - used)
    },
  }

  function usedBy(account: string): number {
    const bucket = buckets.get(account)
    if (!bucket) return 0
    const forgiven = ((clock.now().getTime() - bucket.at) / HOUR) * perHour()
    return Math.max(0, bucket.used - forgiven)
  }
}
