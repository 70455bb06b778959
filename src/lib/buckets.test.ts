import assert from 'node:assert/strict'
import { test } from 'node:test'

import { buckets } from './buckets.ts'
import { HOUR, later, MINUTE } from './clock.ts'

const START = new Date('2026-11-30T08:00:00Z')

test('a bucket fills steadily, and is never more than full', () => {
  let now = START
  const its = buckets({ now: () => now }, () => 60)
  for (let times = 0; times < 60; times++) assert.ok(its.take('a'))
  assert.ok(!its.take('a'))
  assert.ok(its.take('b'))
  now = later(now, MINUTE)
  assert.equal(its.left('a'), 1)
  now = later(now, 2 * HOUR)
  assert.equal(its.left('a'), 60)
})

test('a clock that is set back takes nothing from anybody', () => {
  let now = START
  const its = buckets({ now: () => now }, () => 60)
  for (let times = 0; times < 30; times++) its.take('a')
  now = later(now, -10 * HOUR)
  assert.equal(its.left('a'), 30)
  assert.ok(its.take('a'))
})

test('who had used all when the clock was set back is let in again as time passes', () => {
  let now = START
  const its = buckets({ now: () => now }, () => 60)
  for (let times = 0; times < 60; times++) its.take('a')
  now = later(now, -10 * HOUR)
  assert.ok(!its.take('a'))
  now = later(now, MINUTE)
  assert.ok(its.take('a'))
})
