import type { Clock } from '../lib/clock.ts'
import type { Timer } from '../lib/timer.ts'

interface Event {
  readonly at: number
  readonly act: () => void
}

/** Time that passes only by `jump`, from one moment at which something is due to the next. */
export class VirtualTime {
  readonly clock: Clock = { now: () => new Date(this.#now) }
  readonly timer: Timer = {
    now: () => this.#now,
    after: (milliseconds, act) => this.after(milliseconds, act),
  }
  #now: number
  /** In their order; those of one moment as they came. */
  readonly #events: Event[] = []

  constructor(begin: Date) {
    this.#now = begin.getTime()
  }

  get now(): number {
    return this.#now
  }

  after(milliseconds: number, act: () => void): () => void {
    if (milliseconds === Infinity) return () => {}
    const event = { at: this.#now + Math.max(0, Math.ceil(milliseconds)), act }
    let place = this.#events.length
    while (place > 0 && (this.#events[place - 1]?.at ?? 0) > event.at) place--
    this.#events.splice(place, 0, event)
    return () => {
      const at = this.#events.indexOf(event)
      if (at >= 0) this.#events.splice(at, 1)
    }
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.after(milliseconds, resolve))
  }

  /** Goes to the next moment and has happen what is due then; false: nothing ever is. */
  jump(): boolean {
    const event = this.#events.shift()
    if (!event) return false
    this.#now = event.at
    event.act()
    return true
  }
}
