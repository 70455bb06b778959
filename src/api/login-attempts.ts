/**
 * How often somebody may try to log in: what guesses is held off, and so is what would have
 * us make hashes all day. Tokens are no attempt. And how often somebody who is in may name
 * others, which is to guess, too.
 */

import { isIPv6 } from 'node:net'

import type { Clock } from '../lib/clock.ts'
import { Problem } from '../model/problem.ts'
import { buckets } from '../lib/buckets.ts'

/** Wrong ones an hour. Of an account, whoever tries; whether there is such an account is not told by this either. */
const OF_ACCOUNT = 10
/** The same, whomever it tries. Behind a proxy that is not trusted all come from one address. */
const OF_ADDRESS = 60
/** An hour, the right ones too. */
const ALL_OF_ACCOUNT = 100
/** An hour. */
const BEGUN_BY_ADDRESS = 60
/** An hour, of addresses that are no account's. */
const NAMED_BY_ACCOUNT = 30
/** Of an address that is tried: it need not be one. */
const LONGEST_KEY = 320

export interface LoginAttempts {
  /**
   * Counts an attempt before anybody knows whether it is right, so that many at once are no
   * way around; returns what to call if it was. The Problem `rate_limit` where none was left.
   */
  take(email: string, address: string): () => void
  /** Counts a login that a CLI begins in a browser; the Problem `rate_limit` where none was left. */
  begin(address: string): void
  /**
   * Counts that an account names another, before anybody knows whether there is such a one;
   * returns what to call if there is. The Problem `rate_limit` where none was left.
   */
  name(account: string): () => void
}

export function loginAttempts(clock: Clock): LoginAttempts {
  const ofAccount = buckets(clock, () => OF_ACCOUNT)
  const ofAddress = buckets(clock, () => OF_ADDRESS)
  const allOfAccount = buckets(clock, () => ALL_OF_ACCOUNT)
  const named = buckets(clock, () => NAMED_BY_ACCOUNT)
  const begun = buckets(clock, () => BEGUN_BY_ADDRESS)
  return {
    take(email, from) {
      const address = networkOf(from)
      const account = email.toLowerCase().slice(0, LONGEST_KEY)
      if (!ofAddress.take(address)) throw tooMany()
      if (!ofAccount.take(account) || !allOfAccount.take(account)) throw tooMany()
      return () => {
        ofAddress.giveBack(address)
        ofAccount.giveBack(account)
      }
    },
    name(account) {
      if (!named.take(account)) {
        throw new Problem(
          'rate_limit',
          'You named too many accounts that are none. Please wait a few minutes before naming another.',
        )
      }
      return () => named.giveBack(account)
    },
    begin(address) {
      if (!begun.take(networkOf(address))) throw tooMany()
    },
  }
}

/** Who has one address of IPv6 has the 2^64 beside it. */
function networkOf(address: string): string {
  if (!isIPv6(address)) return address
  const [first = [], last = []] = address
    .split('::')
    .map((it) => it.split(':').filter((group) => group !== ''))
  const between = Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0')
  return [...first, ...between, ...last].slice(0, 4).join(':')
}

function tooMany(): Problem {
  return new Problem(
    'rate_limit',
    'Too many attempts to log in. Please wait a few minutes before trying again.',
  )
}
