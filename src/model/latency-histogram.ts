/**
 * Durations counted by buckets, so that percentiles of many can be told from few numbers, and
 * of several counts together: whole milliseconds below 32, then 16 buckets for each doubling.
 * A duration is told as the middle of its bucket: at most 1/32 (3.2 %) from what it was.
 */

/** Whole milliseconds below it have a bucket each. */
const EXACT = 32
const PER_DOUBLING = 16
const FIRST_DOUBLING = Math.log2(EXACT)
/** What takes longer than 2^20 ms (17 minutes) is counted with the longest. */
const DOUBLINGS = 15
const TOO_LONG = 2 ** (FIRST_DOUBLING + DOUBLINGS)

export const BUCKETS = EXACT + DOUBLINGS * PER_DOUBLING

export function bucketOf(milliseconds: number): number {
  if (milliseconds < EXACT) return milliseconds
  if (milliseconds >= TOO_LONG) return BUCKETS - 1
  const doubling = 31 - Math.clz32(milliseconds)
  const part = (milliseconds >>> (doubling - 4)) & (PER_DOUBLING - 1)
  return EXACT + (doubling - FIRST_DOUBLING) * PER_DOUBLING + part
}

/** Milliseconds. */
export function middleOf(bucket: number): number {
  if (bucket < EXACT) return bucket
  const doubling = Math.floor((bucket - EXACT) / PER_DOUBLING)
  const width = 2 ** (doubling + FIRST_DOUBLING) / PER_DOUBLING
  const part = (bucket - EXACT) % PER_DOUBLING
  return (PER_DOUBLING + part) * width + (width - 1) / 2
}

/** By nearest rank: so many of all take at most this long. Undefined where nothing was counted. */
export function percentile(counts: ArrayLike<number>, share: number): number | undefined {
  const all = Array.from(counts).reduce((sum, it) => sum + it, 0)
  if (all === 0) return undefined
  let left = Math.ceil(share * all)
  for (let bucket = 0; bucket < counts.length; bucket++) {
    left -= counts[bucket] ?? 0
    if (left <= 0) return middleOf(bucket)
  }
  return middleOf(counts.length - 1)
}
