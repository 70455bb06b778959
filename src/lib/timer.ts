/** What waits asks a timer, never `setTimeout`, where a simulation must own time. */
export interface Timer {
  /** Milliseconds since some moment; it never goes back. */
  now(): number
  /** Calls `act` once in so many milliseconds, unless what it returns is called before. */
  after(milliseconds: number, act: () => void): () => void
}

export const systemTimer: Timer = {
  now: () => performance.now(),
  after(milliseconds, act) {
    const timeout = setTimeout(act, milliseconds)
    return () => clearTimeout(timeout)
  },
}

/** Resolves after `milliseconds`, or at once when the signal aborts; it never rejects. */
export function pauseBy(
  timer: Timer,
  milliseconds: number,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const wake = () => {
      cancel()
      signal.removeEventListener('abort', wake)
      resolve()
    }
    const cancel = timer.after(milliseconds, wake)
    signal.addEventListener('abort', wake, { once: true })
  })
}
