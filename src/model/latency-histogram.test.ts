import assert from 'node:assert/strict'
import { test } from 'node:test'

import { array, assert as check, constantFrom, nat, property } from 'fast-check'

import { fuzzRuns } from '../../test/fuzz-runs.ts'
import { BUCKETS, bucketOf, middleOf, percentile } from './latency-histogram.ts'

const ERROR = 1 / 32

test('every duration has a bucket, a longer one no lower one, and it is told to 3.2 %', () => {
  let last = 0
  for (let ms = 0; ms < 2 ** 20; ms += 1 + (ms >> 8)) {
    const bucket = bucketOf(ms)
    assert.ok(bucket === last || bucket === last + 1, `${ms}`)
    assert.ok(
      Math.abs(middleOf(bucket) - ms) <= ms * ERROR,
      `${ms} as ${middleOf(bucket)}`,
    )
    last = bucket
  }
  assert.equal(last, BUCKETS - 1)
  for (const ms of [2 ** 20, 2 ** 31, 2 ** 32, 2 ** 40, Infinity]) {
    assert.equal(bucketOf(ms), BUCKETS - 1)
  }
})

test('a percentile is that of the durations themselves, but for the error', () => {
  const durations = array(nat(600_000), { minLength: 1, maxLength: 300 })
  check(
    property(durations, constantFrom(0.5, 0.95, 0.99, 1), (all, share) => {
      const counts = new Float64Array(BUCKETS)
      for (const it of all) counts[bucketOf(it)] = (counts[bucketOf(it)] ?? 0) + 1
      const sorted = all.toSorted((a, b) => a - b)
      const exact = sorted[Math.ceil(share * all.length) - 1] ?? NaN
      assert.ok(Math.abs((percentile(counts, share) ?? NaN) - exact) <= exact * ERROR)
    }),
    fuzzRuns({ usual: 100, soaked: 10_000 }),
  )
  assert.equal(percentile(new Float64Array(BUCKETS), 0.5), undefined)
})
