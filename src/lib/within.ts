import { pause } from './clock.ts'

/**
 * What `work` comes to, or undefined: that takes longer than `patience` milliseconds, or the signal has aborted.
 * The work goes on then, and what comes of it is nobody's. Rejects as the work does.
 */
export async function within<T>(
  patience: number,
  work: Promise<T>,
  signal?: AbortSignal,
): Promise<T | undefined> {
  const enough = new AbortController()
  const over = signal ? AbortSignal.any([signal, enough.signal]) : enough.signal
  const waited = pause(patience, over)
  try {
    return await Promise.race([work, waited.then(() => undefined)])
  } finally {
    enough.abort()
  }
}
