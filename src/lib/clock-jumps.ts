import { type Clock, latest, SECOND } from './clock.ts'
import type { Timer } from './timer.ts'

/** More than lies between asking the one and the other. */
const JUMP = SECOND

/**
 * Tells when the clock was last found to have been set forward, by a timer that nobody sets: as a
 * late first answer of NTP does, or a virtual machine that goes on. Undefined: it never was, or was set
 * back behind that again.
 *
 * What was noted before then has not waited for as long as the clock says, but at most until then.
 */
export function jumpsOf(clock: Clock, timer: Timer): () => Date | undefined {
  const look = () => ({ timer: timer.now(), clock: clock.now() })
  let before = look()
  let jumpedAt: Date | undefined
  return () => {
    const now = look()
    const passed = now.clock.getTime() - before.clock.getTime()
    if (passed - (now.timer - before.timer) > JUMP) jumpedAt = now.clock
    if (jumpedAt && jumpedAt > now.clock) jumpedAt = undefined
    before = now
    return jumpedAt
  }
}

/** From when a time that is to pass since `noted` counts. */
export function countedFrom(noted: Date, jumpedAt: Date | undefined): Date {
  return latest(noted, jumpedAt ?? null)
}
