/** When a webhook's request that failed is sent again. */

import { backOff } from '../lib/backoff.ts'
import { HOUR, later, SECOND } from '../lib/clock.ts'
import type { Level } from './webhook.ts'

/** Longer than that, nobody tries. */
const GIVE_UP_AFTER = 72 * HOUR
const DELAY = { first: 5 * SECOND, most: HOUR }
/** `backOff` spreads them by a tenth more at most. */
export const LONGEST_DELAY = 1.1 * DELAY.most

export interface Failed {
  readonly level: Level
  /** Of the delivery. */
  readonly createdAt: Date
  /** The one that just failed included. */
  readonly attempts: number
}

/** The next attempt's moment; undefined: there is none. */
export function nextAttempt(
  { level, createdAt, attempts }: Failed,
  now: Date,
): Date | undefined {
  if (level === 'notify') return undefined
  const next = later(now, backOff(attempts - 1, DELAY))
  return next < later(createdAt, GIVE_UP_AFTER) ? next : undefined
}
