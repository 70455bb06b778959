/**
 * How much one dyno may log, so that what it costs others ends somewhere. What is beyond is read and
 * counted, and not kept: Heroku's L12. Far more than people read; a twentieth of what `logs` takes
 * in on one processor (1.8 to 4.4 million lines of 5 to 100 bytes, 250 to 430 MB, a second).
 */

import { type Clock, SECOND } from '../lib/clock.ts'

/** In a second, for as long as it likes. */
export const LINES = 20_000
export const BYTES = 8 * 1024 ** 2
/** Seconds' worth of it that may come at once. */
export const BURST = 5

export class LogQuota {
  readonly #clock: Clock
  #lines = LINES * BURST
  #bytes = BYTES * BURST
  #at: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#at = clock.now().getTime()
  }

  /** Says whether so much may be kept; if so it is taken off, whole. */
  take(lines: number, bytes: number): boolean {
    const now = this.#clock.now().getTime()
    // A clock that was set back gives nothing, and takes nothing.
    const seconds = Math.max(0, now - this.#at) / SECOND
    this.#at = now
    this.#lines = Math.min(LINES * BURST, this.#lines + seconds * LINES)
    this.#bytes = Math.min(BYTES * BURST, this.#bytes + seconds * BYTES)
    if (this.#lines <= 0 || this.#bytes <= 0) return false
    this.#lines -= lines
    this.#bytes -= bytes
    return true
  }
}
