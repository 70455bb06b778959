/**
 * Daily cycling: every dyno is replaced about once a day, so that no app comes
 * to lean on a long-lived machine. The moment is computed from the dyno alone.
 * Nothing is scheduled, stored, or lost when the manager restarts, and the
 * spread keeps a fleet that booted together from cycling together.
 */

import { createHash } from 'node:crypto'

import { DAY, HOUR, later, MINUTE } from '../lib/clock.ts'
import { type DailyWindow, openingsIn, type Span } from './daily-window.ts'
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

/** So much of a longest life is certain; the rest spreads a formation's cycling. */
export const CERTAIN = 0.85

/** When a dyno whose process began at `startedAt` has lived its day. */
export function cyclesAt(
  dyno: { readonly id: DynoId; readonly startedAt: Date },
  { least, most, window }: Cycling = DAILY,
): Date {
  const { id, startedAt } = dyno
  const end = { from: later(startedAt, least), until: later(startedAt, most) }
  const fraction = fractionOf(id)
  if (!window) return momentIn([end], fraction)

  // Were no life shorter than a day, each would end later in the night than the one before, and
  // most dynos of a machine within the last minutes of their windows.
  const from = later(startedAt, leastInWindow(most))
  const openings = openingsIn(window, { from: startedAt, until: end.until })
  const atItsEnd = openings.flatMap((it) => common(it, { ...end, from }) ?? [])
  if (atItsEnd.length > 0) return momentIn(atItsEnd, fraction)
  // A life that must be shorter for the window's sake is as long as it can be. The opening that it
  // began in is none to end it by: it would go again and again in one night.
  const last = openings.filter((it) => it.from > startedAt).at(-1)
  return momentIn([(last && common(last, { ...end, from: startedAt })) ?? end], fraction)
}

/** How long a dyno lives at least if its window is open at the end of such a life. */
export function leastInWindow(most: number): number {
  return CERTAIN * Math.min(most, DAY)
}

function common(one: Span, other: Span): Span | undefined {
  const from = one.from > other.from ? one.from : other.from
  const until = one.until < other.until ? one.until : other.until
  return from <= until ? { from, until } : undefined
}

/** At this fraction of all the time that the spans are, which follow one another. */
function momentIn(spans: readonly Span[], fraction: number): Date {
  const lengths = spans.map(({ from, until }) => until.getTime() - from.getTime())
  let left = lengths.reduce((sum, length) => sum + length, 0) * fraction
  for (const [index, { from }] of spans.entries()) {
    const length = lengths[index] ?? 0
    if (left <= length) return later(from, left)
    left -= length
  }
  throw new Error('no time to choose a moment of')
}

/** Maps an id evenly onto [0, 1), the same way every time. */
export function fractionOf(id: string): number {
  return createHash('sha256').update(id).digest().readUInt32BE() / 2 ** 32
}
