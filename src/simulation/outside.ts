import type { Pool } from 'pg'

import type { Look } from '../work/loop.ts'

/**
 * Looks that also ask the real file system, whose answers come when they come: while one of
 * them has not asked for its next turn, the simulation waits. They do one thing at a time.
 */
export class Outside {
  #busy = 0

  get isBusy(): boolean {
    return this.#busy > 0
  }

  look(make: (pool: Pool) => Look, pool: Pool): Look {
    const watched = {
      query: (text: string, values?: unknown[]) =>
        this.#inside(() => pool.query(text, values)),
    }
    const look = make(watched as unknown as Pool)
    return (subject, signal) => this.#during(() => look(subject, signal))
  }

  async #during<T>(work: () => Promise<T>): Promise<T> {
    this.#busy++
    try {
      return await work()
    } finally {
      this.#busy--
    }
  }

  async #inside<T>(work: () => Promise<T>): Promise<T> {
    this.#busy--
    try {
      return await work()
    } finally {
      this.#busy++
    }
  }
}
