/**
 * Makes of `work` one that is never under way twice. Whoever calls gets a run that began
 * after the call: what was true when it called has been seen when it resolves.
 */
export function serially(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined

  return function run(): Promise<void> {
    if (next) return next
    if (!running) return begin()
    next = running.then(begin, begin)
    return next
  }

  function begin(): Promise<void> {
    next = undefined
    running = work().finally(() => {
      running = undefined
    })
    return running
  }
}
