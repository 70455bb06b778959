/**
 * At most so many at a time, and of each asker one: the askers take turns, however much each has
 * to be done.
 */
export function fairTurns(
  most: number,
): (asker: string | undefined, work: () => Promise<void>) => Promise<void> {
  /** Who has waited longest since their last turn comes first. */
  const waiting = new Map<string | undefined, (() => void)[]>()
  const busy = new Set<string | undefined>()

  return async (asker, work) => {
    await new Promise<void>((begin) => {
      waiting.set(asker, [...(waiting.get(asker) ?? []), begin])
      beginNext()
    })
    try {
      await work()
    } finally {
      busy.delete(asker)
      moveToEnd(asker)
      beginNext()
    }
  }

  function beginNext(): void {
    if (busy.size === most) return
    for (const [asker, [begin, ...later]] of waiting) {
      if (busy.has(asker) || !begin) continue
      if (later.length > 0) waiting.set(asker, later)
      else waiting.delete(asker)
      busy.add(asker)
      return begin()
    }
  }

  function moveToEnd(asker: string | undefined): void {
    const its = waiting.get(asker)
    if (!its) return
    waiting.delete(asker)
    waiting.set(asker, its)
  }
}
