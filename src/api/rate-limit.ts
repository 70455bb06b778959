/**
 * How many requests each token may make: a bucket that holds an hour's worth and fills
 * steadily. It is kept in memory: a restart forgives.
 */

import { type Clock, HOUR } from '../lib/clock.ts'
import { Problem } from '../model/problem.ts'

export const REQUESTS_PER_HOUR = 4500

export interface RateLimit {
  /** Counts a request, and returns how many are left; the Problem `rate_limit` if none was. */
  take(token: string): number
  left(token: string): number
}

interface Bucket {
  readonly used: number
  readonly at: number
}

/** `perHour` is asked each time, so that it may change. `token`: any key that stands for one. */
export function rateLimit(clock: Clock, perHour: () => number): RateLimit {
  const buckets = new Map<string, Bucket>()
  return {
    left: (token) => Math.floor(perHour() - usedBy(token)),
    take(token) {
      const used = usedBy(token) + 1
      if (used > perHour()) {
        throw new Problem(
          'rate_limit',
          'Your account reached the API rate limit. Please wait a few minutes before making new requests.',
        )
      }
      buckets.set(token, { used, at: clock.now().getTime() })
      return Math.floor(perHour() - used)
    },
  }

  function usedBy(token: string): number {
    const bucket = buckets.get(token)
    if (!bucket) return 0
    const forgiven = ((clock.now().getTime() - bucket.at) / HOUR) * perHour()
    return Math.max(0, bucket.used - forgiven)
  }
}
