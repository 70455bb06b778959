/**
 * What is counted of an app's requests in a period of time: one vector of counts, so that
 * taking periods together is adding numbers. Its layout is in the database (the table
 * `router_measures`) for three days: what is added goes to its end.
 */

import { BUCKETS, percentile } from './latency-histogram.ts'

/** What the router says of one request. Milliseconds; undefined for a phase not reached. */
export interface RequestMeasure {
  /** As the router's line has it; 0: nothing was answered. */
  readonly status: number
  /** The 12 of H12. */
  readonly code: number | undefined
  /** From the dyno's taking the connection to the end of its answer; undefined for a websocket. */
  readonly service: number | undefined
  readonly connect: number | undefined
  /** From the request's first byte until there was a dyno to connect to. */
  readonly queue: number | undefined
}

/** By the first digit of the status. */
const STATUS = 0
const CLASSES = 6
const CODE = STATUS + CLASSES
const CODES = 100
const SERVICE = CODE + CODES
const CONNECT = SERVICE + BUCKETS
const QUEUE = CONNECT + BUCKETS

/** Where a count stands in the vector. */
export const layout = { STATUS, CODE, SERVICE, CONNECT, QUEUE } as const
export const COUNTS = QUEUE + BUCKETS

export interface Measures {
  readonly counts: Float64Array
  /** Of the service times, in milliseconds: their sum, and the longest. */
  readonly serviceTotal: number
  readonly serviceLongest: number
}

/** Measures as they are kept: only the counts that are not zero. */
export interface SparseMeasures {
  readonly keys: readonly number[]
  readonly counts: readonly number[]
  readonly serviceTotal: number
  readonly serviceLongest: number
}

export function together(all: readonly SparseMeasures[]): Measures {
  const counts = new Float64Array(COUNTS)
  let [serviceTotal, serviceLongest] = [0, 0]
  for (const it of all) {
    it.keys.forEach((key, nth) => {
      if (key < COUNTS) counts[key] = (counts[key] ?? 0) + (it.counts[nth] ?? 0)
    })
    serviceTotal += it.serviceTotal
    serviceLongest = Math.max(serviceLongest, it.serviceLongest)
  }
  return { counts, serviceTotal, serviceLongest }
}

export function sparse({
  counts: all,
  serviceTotal,
  serviceLongest,
}: {
  readonly counts: ArrayLike<number>
  readonly serviceTotal: number
  readonly serviceLongest: number
}): SparseMeasures {
  const keys: number[] = []
  const counts: number[] = []
  for (let key = 0; key < all.length; key++) {
    const count = all[key] ?? 0
    if (count === 0) continue
    keys.push(key)
    counts.push(count)
  }
  return { keys, counts, serviceTotal, serviceLongest }
}

/** How many of the requests have a service time. */
export function servedIn(it: Measures): number {
  return bucketsIn(it, 'SERVICE').reduce((sum, count) => sum + count, 0)
}

/** How many answers of each class: `[1xx, 2xx, 3xx, 4xx, 5xx]`. */
export function classesIn({ counts }: Measures): readonly number[] {
  return [...counts.subarray(STATUS + 1, STATUS + CLASSES)]
}

/** `[['H12', 3]]`: only those that there were. */
export function codesIn({ counts }: Measures): [string, number][] {
  return [...counts.subarray(CODE, SERVICE)].flatMap((count, code): [string, number][] =>
    count > 0 ? [[codeName(code), count]] : [],
  )
}

function codeName(code: number): string {
  return `H${String(code).padStart(2, '0')}`
}

/** The counts of each bucket of a duration. */
export function bucketsIn(
  { counts }: Pick<Measures, 'counts'>,
  of: 'SERVICE' | 'CONNECT' | 'QUEUE',
): Float64Array {
  return counts.subarray(layout[of], layout[of] + BUCKETS)
}

/** Milliseconds, never more than the longest there was; undefined where nothing was served. */
export function servicePercentile(it: Measures, share: number): number | undefined {
  const found = percentile(bucketsIn(it, 'SERVICE'), share)
  return found === undefined ? undefined : Math.min(found, it.serviceLongest)
}
