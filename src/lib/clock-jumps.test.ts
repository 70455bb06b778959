import assert from 'node:assert/strict'
import { test } from 'node:test'

import { DAY, HOUR, later, MINUTE, SECOND } from './clock.ts'
import { countedFrom, jumpsOf } from './clock-jumps.ts'

const start = new Date('2026-01-01T00:00:00Z')

function aMachine() {
  let now = start
  let timed = 0
  const pass = (milliseconds: number) => {
    timed += milliseconds
    now = later(now, milliseconds)
  }
  return {
    jumps: jumpsOf({ now: () => now }, { now: () => timed, after: () => () => {} }),
    pass,
    set: (milliseconds: number) => (now = later(now, milliseconds)),
    now: () => now,
  }
}

test('a clock that is set forward is known by a timer that is not', () => {
  const { jumps, pass, set, now } = aMachine()
  pass(3 * HOUR)
  assert.deepEqual(jumps(), [])
  set(2 * HOUR)
  pass(MINUTE)
  const jump = { at: now(), by: 2 * HOUR }
  assert.deepEqual(jumps(), [jump])
  pass(HOUR)
  assert.deepEqual(jumps(), [jump])
  // What was noted before the jump is right again.
  set(-2 * HOUR)
  assert.deepEqual(jumps(), [])
  pass(3 * HOUR)
  assert.deepEqual(jumps(), [])
})

test('what was leapt over did not pass, and all else did', () => {
  const at = later(start, 3 * HOUR)
  const jumps = [{ at, by: 2 * HOUR }]
  assert.deepEqual(countedFrom(start, jumps), later(start, 2 * HOUR))
  assert.deepEqual(countedFrom(later(at, -MINUTE), jumps), at)
  assert.deepEqual(countedFrom(later(at, MINUTE), jumps), later(at, MINUTE))
  assert.deepEqual(countedFrom(start), start)
})

test('a machine that stands still for a moment each night keeps its days', () => {
  const { jumps, pass, set, now } = aMachine()
  for (let night = 0; night < 5; night++) {
    pass(DAY)
    set(5 * SECOND)
    jumps()
  }
  assert.deepEqual(countedFrom(start, jumps()), later(start, 25 * SECOND))
  assert.deepEqual(now(), later(start, 5 * DAY + 25 * SECOND))
})
