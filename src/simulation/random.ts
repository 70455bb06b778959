/** Draws numbers from a seed: the same seed, the same numbers (SplitMix32). */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32
  }

  /** From `least` on, below `limit`. */
  whole(least: number, limit: number): number {
    return least + Math.floor(this.next() * (limit - least))
  }

  chance(share: number): boolean {
    return this.next() < share
  }

  one<T>(list: readonly T[]): T {
    const picked = list[this.whole(0, list.length)]
    if (picked === undefined) throw new Error('there is nothing to pick from')
    return picked
  }
}
