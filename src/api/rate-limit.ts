/** How many requests may be made: by each account with all its tokens, as on Heroku, or by each token. */

import type { Clock } from '../lib/clock.ts'
import { Problem } from '../model/problem.ts'
import { buckets } from '../lib/buckets.ts'

export interface Allowance {
  readonly requestsPerHour: number
  readonly rateLimitPer: 'account' | 'token'
}

export const USUAL_ALLOWANCE: Allowance = {
  requestsPerHour: 4500,
  rateLimitPer: 'account',
}

/** An account may do so many times what a token may: it makes and revokes tokens as it likes. */
const TOKENS_OF_ACCOUNT = 10

/** Who asks; with a password there is no authorization, and the account counts. */
interface Asker {
  readonly account: { readonly id: string }
  readonly authorization?: string | undefined
}

export interface RateLimit {
  /** Counts a request, and returns how many are left; the Problem `rate_limit` if none was. */
  take(asker: Asker): number
  left(asker: Asker): number
}

/** `allowance` is asked each time, so that it may change. */
export function rateLimit(clock: Clock, allowance: () => Allowance): RateLimit {
  const requests = buckets(clock, () => allowance().requestsPerHour)
  const ofAccounts = buckets(clock, () => TOKENS_OF_ACCOUNT * allowance().requestsPerHour)
  return {
    left,
    take(asker) {
      if (left(asker) < 1) {
        throw new Problem(
          'rate_limit',
          'Your account reached the API rate limit. Please wait a few minutes before making new requests.',
        )
      }
      requests.take(keyOf(asker))
      ofAccounts.take(asker.account.id)
      return left(asker)
    },
  }

  function left(asker: Asker): number {
    return Math.min(requests.left(keyOf(asker)), ofAccounts.left(asker.account.id))
  }

  function keyOf({ account, authorization }: Asker): string {
    const isPerToken = allowance().rateLimitPer === 'token'
    return isPerToken && authorization !== undefined ? authorization : account.id
  }
}
