import assert from 'node:assert/strict'
import { test } from 'node:test'

import { SECOND } from '../lib/clock.ts'
import { LogQuota, BURST, BYTES, LINES } from './log-quota.ts'

function aClock() {
  let now = 0
  return { now: () => new Date(now), go: (milliseconds: number) => (now += milliseconds) }
}

/** How many of these pieces are let through at this moment. */
function taken(it: LogQuota, lines: number, bytes: number): number {
  let count = 0
  while (it.take(lines, bytes)) count += 1
  return count
}

test('so many lines at once, then so many a second', () => {
  const clock = aClock()
  const it = new LogQuota(clock)
  assert.equal(taken(it, 1000, 1), (LINES * BURST) / 1000)
  clock.go(SECOND)
  assert.equal(taken(it, 1000, 1), LINES / 1000)
  clock.go(3600 * SECOND)
  assert.equal(taken(it, 1000, 1), (LINES * BURST) / 1000)
})

test('and so many bytes', () => {
  const clock = aClock()
  const it = new LogQuota(clock)
  assert.equal(taken(it, 1, BYTES / 64), BURST * 64)
  clock.go(SECOND / 2)
  assert.equal(taken(it, 1, BYTES / 64), 32)
})

test('what goes beyond is taken off what comes next', () => {
  const clock = aClock()
  const it = new LogQuota(clock)
  assert.ok(it.take(LINES * (BURST + 2), 1))
  clock.go(2 * SECOND)
  assert.ok(!it.take(1, 1))
  clock.go(1)
  assert.ok(it.take(1, 1))
})

test('a clock that is set back changes nothing', () => {
  const clock = aClock()
  const it = new LogQuota(clock)
  assert.ok(it.take(LINES * BURST, 1))
  clock.go(-SECOND)
  assert.ok(!it.take(1, 1))
  clock.go(SECOND)
  assert.ok(it.take(1, 1))
})
