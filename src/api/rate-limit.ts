/** How many requests each account may make, with all its tokens together, as on Heroku. */

import type { Clock } from '../lib/clock.ts'
import { Problem } from '../model/problem.ts'
import { buckets } from './buckets.ts'

export const REQUESTS_PER_HOUR = 4500

export interface RateLimit {
  /** Counts a request, and returns how many are left; the Problem `rate_limit` if none was. */
  take(account: string): number
  left(account: string): number
}

/** `perHour` is asked each time, so that it may change. */
export function rateLimit(clock: Clock, perHour: () => number): RateLimit {
  const requests = buckets(clock, perHour)
  return {
    left: (account) => requests.left(account),
    take(account) {
      if (!requests.take(account)) {
        throw new Problem(
          'rate_limit',
          'Your account reached the API rate limit. Please wait a few minutes before making new requests.',
        )
      }
      return requests.left(account)
    },
  }
}
