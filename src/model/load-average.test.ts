import assert from 'node:assert/strict'
import { test } from 'node:test'

import { later, MINUTE, SECOND } from '../lib/clock.ts'
import { type LoadAverage, loadAverage } from './load-average.ts'

const start = new Date('2026-01-01T00:00:00Z')

/** Samples every 20 seconds, for so long. */
function sampled(from: LoadAverage | undefined, runnable: number, long: number) {
  let average = from
  let at = from?.at ?? start
  for (let passed = 0; passed < long; passed += 20 * SECOND) {
    average = loadAverage(average, runnable, at)
    at = later(at, 20 * SECOND)
  }
  assert.ok(average)
  return average
}

test('the first sample is all there is to go by', () => {
  assert.deepEqual(loadAverage(undefined, 3, start), {
    at: start,
    one: 3,
    five: 3,
    fifteen: 3,
  })
})

test('a minute of work shows in the shortest average first', () => {
  const busy = sampled(loadAverage(undefined, 0, start), 4, MINUTE + 20 * SECOND)
  // 1 - 1/e of it.
  assert.ok(Math.abs(busy.one - 4 * (1 - Math.exp(-1))) < 0.01, String(busy.one))
  assert.ok(busy.one > busy.five && busy.five > busy.fifteen && busy.fifteen > 0)
})

test('what is over is forgotten, the longest average last', () => {
  const calm = sampled(loadAverage(undefined, 8, start), 0, 10 * MINUTE)
  assert.ok(calm.one < 0.01 && calm.five > 1 && calm.fifteen > calm.five)
})
