/**
 * Lines of work, one for each key: what is asked for waits until all that was asked for before
 * it, of the same key, is over. Who is called off while it waits leaves at once, and its work is
 * not begun.
 */
export class OneAtATime<Key> {
  /** Over when all that has been asked for of the key is. It never rejects. */
  readonly #last = new Map<Key, Promise<void>>()

  async do<T>(key: Key, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve()
    const mine = Promise.withResolvers<void>()
    // Also of one that leaves: whoever comes after it waits for those before it.
    const all = before.then(() => mine.promise)
    this.#last.set(key, all)
    void all.finally(() => {
      if (this.#last.get(key) === all) this.#last.delete(key)
    })
    try {
      await unlessAborted(before, signal)
      return await work()
    } finally {
      mine.resolve()
    }
  }
}

async function unlessAborted(turn: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const { promise, resolve } = Promise.withResolvers<void>()
  const leave = () => resolve()
  signal.addEventListener('abort', leave, { once: true })
  await Promise.race([turn, promise])
  signal.removeEventListener('abort', leave)
  signal.throwIfAborted()
}
