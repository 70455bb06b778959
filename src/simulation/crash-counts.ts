/** How often each place has crashed in a row, and so how long it must wait until it is started again. */

import { HOUR, SECOND } from '../lib/clock.ts'
import { placeOf } from '../model/dyno.ts'
import { pathOf, type SeenDyno } from './observed.ts'
import type { Past } from './past.ts'
import { Violation } from './violation.ts'

const STABLE = HOUR
/** The least that a place waits after so many crashes in a row; jitter takes a tenth. */
const COOL_OFFS = [0, 10, 30, 60, 120, 300, 600, 1200].map((it) => it * 0.9 * SECOND)

interface Crashed {
  readonly dyno: SeenDyno
  readonly count: number
}

export class CrashCounts {
  /** By the path of a place. */
  readonly #crashed = new Map<string, Crashed>()
  readonly #past: Past

  constructor(past: Past) {
    this.#past = past
  }

  /** A dyno has appeared: its place must have waited for long enough, or be excused. */
  appeared(dyno: SeenDyno): void {
    const place = pathOf(dyno)
    const crashed = this.#crashed.get(place)
    if (!crashed) return
    const { dyno: old, count } = crashed
    const excused =
      dyno.release !== old.release ||
      dyno.size !== old.size ||
      this.#past.wishedSince(dyno.app, crashTime(old))
    if (excused) {
      this.#crashed.delete(place)
      return
    }
    const waited = dyno.createdAt.getTime() - crashTime(old)
    const least = COOL_OFFS[Math.min(count, COOL_OFFS.length) - 1] ?? 0
    if (waited < least) {
      throw new Violation(
        'cool-off respected',
        `${placeOf(dyno)} was started ${waited / SECOND} s after its crash number ${count}`,
      )
    }
  }

  /** A dyno was seen in another state, or leaving; `was`: as it was seen before. */
  moved(was: SeenDyno | undefined, dyno: SeenDyno): void {
    if (dyno.state === 'crashed') this.#hasCrashed(dyno)
    // Who goes for another cause clears the count of the place.
    const goes = dyno.leaving ? !was?.leaving : dyno.state === 'stopping'
    if (goes) this.#crashed.delete(pathOf(dyno))
  }

  #hasCrashed(dyno: SeenDyno): void {
    const place = pathOf(dyno)
    const before = this.#crashed.get(place)
    const ran = dyno.startedAt ? crashTime(dyno) - dyno.startedAt.getTime() : 0
    const anew =
      ran >= STABLE ||
      !before ||
      before.dyno.release !== dyno.release ||
      this.#past.wishedSince(dyno.app, crashTime(before.dyno))
    this.#crashed.set(place, { dyno, count: anew ? 1 : before.count + 1 })
  }
}

function crashTime({ exitedAt, createdAt }: SeenDyno): number {
  return (exitedAt ?? createdAt).getTime()
}
