/** How often somebody may try to log in. Right attempts are not counted, and tokens are no attempt. */

import type { Clock } from '../lib/clock.ts'
import { Problem } from '../model/problem.ts'
import { buckets } from './buckets.ts'

/** An hour. Of an account, whoever tries; whether there is such an account is not told by this either. */
const OF_ACCOUNT = 10
/** An hour. Behind a proxy all come from one address. */
const OF_ADDRESS = 60

export interface LoginAttempts {
  /**
   * Counts an attempt before anybody knows whether it is right, so that many at once are no
   * way around; returns what takes it back. The Problem `rate_limit` where none was left.
   */
  take(email: string, address: string): () => void
  /** Counts a login that a CLI begins in a browser; the Problem `rate_limit` where none was left. */
  begin(address: string): void
}

export function loginAttempts(clock: Clock): LoginAttempts {
  const ofAccount = buckets(clock, () => OF_ACCOUNT)
  const ofAddress = buckets(clock, () => OF_ADDRESS)
  const begun = buckets(clock, () => OF_ADDRESS)
  return {
    take(email, address) {
      const account = email.toLowerCase()
      if (!ofAddress.take(address)) throw tooMany()
      if (!ofAccount.take(account)) throw tooMany()
      return () => {
        ofAddress.giveBack(address)
        ofAccount.giveBack(account)
      }
    },
    begin(address) {
      if (!begun.take(address)) throw tooMany()
    },
  }
}

function tooMany(): Problem {
  return new Problem(
    'rate_limit',
    'Too many attempts to log in. Please wait a few minutes before trying again.',
  )
}
