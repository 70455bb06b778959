import { SECOND } from './clock.ts'
import { within } from './within.ts'

/** So long somebody who asks waits: most of it is done by then. */
const PATIENCE = 2 * SECOND

/**
 * Work that may take longer than a look may: it begins when it is first asked for, goes on by
 * itself, and is not begun a second time. What came of it is told to whoever asks after its end;
 * then it may begin anew.
 */
export class UnderWay<T> {
  readonly #works = new Map<string, Promise<T>>()

  /** Undefined: not yet, ask again. Rejects as the work did. */
  async ask(
    key: string,
    begin: () => Promise<T>,
    signal: AbortSignal,
  ): Promise<{ readonly result: T } | undefined> {
    const work = this.#works.get(key) ?? this.#begin(key, begin)
    try {
      const ended = work.then((result) => ({ result }))
      const outcome = await within(PATIENCE, ended, signal)
      if (outcome) this.#works.delete(key)
      return outcome
    } catch (error) {
      this.#works.delete(key)
      throw error
    }
  }

  #begin(key: string, begin: () => Promise<T>): Promise<T> {
    const work = begin()
    work.catch(() => undefined) // told to whoever asks next
    this.#works.set(key, work)
    return work
  }
}
