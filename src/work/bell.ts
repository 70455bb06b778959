import { pauseBy, type Timer } from '../lib/timer.ts'

/** Rung when there may be work; a ring while nobody waits is heard by the next who does. */
export class Bell {
  readonly #timer: Timer
  #rung = false
  #wake: () => void = () => {}

  constructor(timer: Timer) {
    this.#timer = timer
  }

  ring(): void {
    this.#rung = true
    this.#wake()
  }

  /** Resolves when it is rung, after so many milliseconds, or when the signal aborts. */
  async wait(milliseconds: number, signal: AbortSignal): Promise<void> {
    if (!this.#rung && !signal.aborted) {
      const woken = new AbortController()
      const wake = () => woken.abort()
      this.#wake = wake
      signal.addEventListener('abort', wake, { once: true })
      await pauseBy(this.#timer, milliseconds, woken.signal)
      signal.removeEventListener('abort', wake)
      this.#wake = () => {}
    }
    this.#rung = false
  }
}
