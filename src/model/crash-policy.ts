/**
 * How long a crashed dyno waits for its next start. The first restart is at once, as an
 * isolated crash deserves; a place that keeps crashing waits longer and longer, so that it
 * can't starve its neighbours. A release, a restart by hand or a stable hour clears the count.
 */

import { HOUR, MINUTE, SECOND } from '../lib/clock.ts'
import { fractionOf } from './cycling.ts'
import type { DynoId } from './ids.ts'

/** Milliseconds by the number of crashes in a row; the last holds for all that follow. */
const COOL_OFFS = [
  0,
  10 * SECOND,
  30 * SECOND,
  MINUTE,
  2 * MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  20 * MINUTE,
]

/** A dyno that ran this long before it crashed starts the count anew. */
const STABLE_AFTER = HOUR

/** Width of the spread: ±10 %, by dyno, so that a formation that crashed together doesn't return together. */
const JITTER = 0.2

export function coolOff(crashes: number, dyno: DynoId): number {
  const wait = COOL_OFFS[Math.min(crashes, COOL_OFFS.length) - 1] ?? 0
  return Math.round(wait * (1 - JITTER / 2 + JITTER * fractionOf(dyno)))
}

/** Crashes in a row, this one counted. `before`: those before; `ran`: milliseconds it ran. */
export function crashesInARow(before: number, ran: number): number {
  return ran >= STABLE_AFTER ? 1 : before + 1
}
