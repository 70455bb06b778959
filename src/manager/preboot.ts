/**
 * The feature `preboot`, with Heroku's timing (its article "Preboot"), for web dynos. On a
 * release all successors boot at once, and wait, ready but not yet up, until some minutes
 * after it; then they come up together, and the old ones leave as soon as these are
 * routed, so that two versions serve no longer than the router takes for that. On any
 * other restart a successor is up when it is ready, and the old dyno serves on beside it.
 */

import { later } from '../lib/clock.ts'
import type { Dyno, StopReason } from '../model/dyno.ts'
import { liesAhead } from '../model/noted-times.ts'
import { type Facts, twinOf, WEB } from './facts.ts'

const OVERLAPPING: readonly (StopReason | null)[] = ['restart', 'cycling', 'memory']

/** Until when a dyno that is ready has to wait for the switch; undefined: it hasn't. */
export function heldUntil(dyno: Dyno, facts: Facts): Date | undefined {
  const { policy, now } = facts
  const { releasedAt } = facts.formation
  const old = twinOf(dyno, facts)
  if (!policy.preboot || dyno.type !== WEB) return undefined
  if (!old?.leaving || old.state !== 'up' || old.release === dyno.release)
    return undefined
  // Where a clock was set back, from when it was made for that release.
  const released = liesAhead(now, [releasedAt]) ? dyno.createdAt : releasedAt
  return later(released, policy.preboot.switch)
}

/** Until when a leaving dyno serves beside its successor; undefined: it may go at once. */
export function overlapsUntil(
  dyno: Dyno,
  successor: Dyno,
  { policy }: Facts,
): Date | undefined {
  if (!policy.preboot || dyno.restartBecause === 'stop') return undefined
  if (!OVERLAPPING.includes(dyno.stopReason)) return undefined
  // It may have been asked to restart before there was a release, and leave for that now.
  if (dyno.release !== successor.release) return undefined
  return later(successor.updatedAt, policy.preboot.overlap)
}
