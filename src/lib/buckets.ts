/**
 * Counting per key: a bucket that holds an hour's worth and fills steadily. Kept in memory:
 * a restart forgives, and nobody outside can bring one about.
 */

import { type Clock, HOUR } from './clock.ts'

export interface Buckets {
  left(key: string): number
  /** Says false where nothing was left; then nothing is taken. */
  take(key: string): boolean
  giveBack(key: string): void
}

interface Bucket {
  readonly used: number
  readonly at: number
}

/** So many keys are kept before those that are full again are looked for. */
const MANY = 10_000

/** `perHour` is asked each time, so that it may change. */
export function buckets(clock: Clock, perHour: () => number): Buckets {
  const kept = new Map<string, Bucket>()
  return {
    left: (key) => Math.floor(perHour() - usedBy(key)),
    take(key) {
      const used = usedBy(key) + 1
      if (used > perHour()) return false
      put(key, used)
      return true
    },
    giveBack(key) {
      put(key, usedBy(key) - 1)
    },
  }

  function put(key: string, used: number): void {
    kept.set(key, { used: Math.max(0, used), at: clock.now().getTime() })
    if (kept.size > MANY) {
      for (const it of kept.keys()) if (usedBy(it) === 0) kept.delete(it)
    }
  }

  function usedBy(key: string): number {
    const bucket = kept.get(key)
    if (!bucket) return 0
    const now = clock.now().getTime()
    // A clock that was set back forgives nothing, and takes nothing; from then on time counts again.
    if (now < bucket.at) kept.set(key, { ...bucket, at: now })
    const forgiven = (Math.max(0, now - bucket.at) / HOUR) * perHour()
    return Math.max(0, bucket.used - forgiven)
  }
}
