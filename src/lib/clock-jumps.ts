import { type Clock, later, SECOND } from './clock.ts'
import type { Timer } from './timer.ts'

/** One of a clock that was set forward. */
export interface Jump {
  /** By the clock, after it. */
  readonly at: Date
  /** Milliseconds. */
  readonly by: number
}

/** More than lies between asking the one and the other. */
const JUMP = SECOND
/** So many are kept, the latest. */
const KEPT = 20

/**
 * Tells when the clock was found to have been set forward, earliest first, by a timer that nobody sets: as a
 * late first answer of NTP does, or a virtual machine that goes on. What it was set back behind is none any more.
 *
 * What was noted before one has not waited for as long as the clock says.
 */
export function jumpsOf(clock: Clock, timer: Timer): () => readonly Jump[] {
  const look = () => ({ timer: timer.now(), clock: clock.now() })
  let before = look()
  let jumps: readonly Jump[] = []
  return () => {
    const now = look()
    const passed = now.clock.getTime() - before.clock.getTime()
    const by = passed - (now.timer - before.timer)
    if (by > JUMP) jumps = [...jumps, { at: now.clock, by }].slice(-KEPT)
    jumps = jumps.filter(({ at }) => at <= now.clock)
    before = now
    return jumps
  }
}

/** From when a time that is to pass since `noted` counts: what was leapt over did not pass. */
export function countedFrom(noted: Date, jumps: readonly Jump[] = []): Date {
  return jumps.reduce((from, { at, by }) => {
    if (from >= at) return from
    const moved = later(from, by)
    return moved < at ? moved : at
  }, noted)
}
