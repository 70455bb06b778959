/**
 * Whatever a simulated process asks of the outside (a statement, a call of the runtime) waits
 * here for its turn, and one after the other gets it. Which one is next is drawn, so many
 * interleavings are tried, and the same seed tries the same.
 */

import type { Random } from './random.ts'

/** A process that can be killed at any of its turns. What it awaits then never comes. */
export interface Mortal {
  readonly name: string
  dead: boolean
  /** It dies after so many turns: before the last is carried out, or before it hears of it. */
  doom?: { turns: number; readonly when: 'before' | 'after' } | undefined
  /** What becomes of its transactions. */
  onDeath(): Promise<void>
}

interface Turn {
  readonly of: Mortal
  /** Whether it can be carried out now. */
  ready(): boolean
  carryOut(): Promise<() => void>
}

export class Turns {
  readonly #random: Random
  #waiting: Turn[] = []

  constructor(random: Random) {
    this.#random = random
  }

  /** Resolves or rejects as `work` does, once it had its turn. */
  take<T>(
    of: Mortal,
    work: () => Promise<T>,
    ready: () => boolean = () => true,
  ): Promise<T> {
    if (of.dead) return never()
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ of, ready, carryOut: () => outcomeOf(work, resolve, reject) })
    })
  }

  /** Lets one of those waiting have its turn; false: nobody waits. */
  async next(): Promise<boolean> {
    this.#waiting = this.#waiting.filter((it) => !it.of.dead)
    if (this.#waiting.length === 0) return false
    const ready = this.#waiting.filter((it) => it.ready())
    const turn = this.#random.one(ready)
    this.#waiting.splice(this.#waiting.indexOf(turn), 1)

    const { of } = turn
    const dies = of.doom !== undefined && of.doom.turns-- <= 0
    if (!dies || of.doom?.when === 'after') {
      const tell = await turn.carryOut()
      if (!dies) tell()
    }
    if (dies) await kill(of)
    return true
  }
}

/** As SIGKILL does: nothing more of it happens. */
export async function kill(mortal: Mortal): Promise<void> {
  if (mortal.dead) return
  mortal.dead = true
  await mortal.onDeath()
}

export function never(): Promise<never> {
  return new Promise(() => {})
}

/** Does the work, and leaves telling of it to the caller. */
async function outcomeOf<T>(
  work: () => Promise<T>,
  resolve: (value: T) => void,
  reject: (error: unknown) => void,
): Promise<() => void> {
  try {
    const value = await work()
    return () => resolve(value)
  } catch (error) {
    return () => reject(error)
  }
}
