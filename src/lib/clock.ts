/** Time is asked of a clock, never of `Date`, so that tests can own it. */
export interface Clock {
  now(): Date
}

export const systemClock: Clock = { now: () => new Date() }

export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** Nulls are no dates. */
export function latest(first: Date, ...others: readonly (Date | null)[]): Date {
  return others.reduce<Date>((last, it) => (it && it > last ? it : last), first)
}

export function earliest(one: Date, other: Date): Date {
  return one < other ? one : other
}

export function later(when: Date, milliseconds: number): Date {
  return new Date(when.getTime() + milliseconds)
}

/** Resolves after `milliseconds`, or at once when the signal aborts; it never rejects. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const wake = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', wake)
      resolve()
    }
    const timer = setTimeout(wake, milliseconds)
    signal?.addEventListener('abort', wake, { once: true })
  })
}
