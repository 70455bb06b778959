/**
 * Daily cycling: every dyno is replaced about once a day, so that no app comes
 * to lean on a long-lived machine. The moment is computed from the dyno alone.
 * Nothing is scheduled, stored, or lost when the manager restarts, and the
 * spread keeps a fleet that booted together from cycling together.
 */

import { createHash } from 'node:crypto'

import { HOUR, later, MINUTE } from '../lib/clock.ts'
import { type DailyWindow, momentsIn } from './daily-window.ts'
import type { DynoId } from './ids.ts'

/** How long a dyno may live, in milliseconds, and at what time of the day it had best go. */
export interface Cycling {
  /** Where no window is asked for, it lives at least this long. */
  readonly least: number
  readonly most: number
  readonly window?: DailyWindow
}

/** Heroku's: 24 hours, and up to 216 minutes more. */
export const DAILY: Cycling = { least: 24 * HOUR, most: 24 * HOUR + 216 * MINUTE }

/** When a dyno whose process began at `startedAt` has lived its day. */
export function cyclesAt(
  dyno: { readonly id: DynoId; readonly startedAt: Date },
  { least, most, window }: Cycling = DAILY,
): Date {
  const { id, startedAt } = dyno
  const fraction = fractionOf(id)
  if (window) {
    // The last of its moments that it may live to see: the day is as long as it can be.
    const moment = momentsIn(window, { fraction, from: startedAt, for: most }).at(-1)
    if (moment) return moment
  }
  return later(startedAt, least + (most - least) * fraction)
}

/** Maps an id evenly onto [0, 1), the same way every time. */
export function fractionOf(id: string): number {
  return createHash('sha256').update(id).digest().readUInt32BE() / 2 ** 32
}
