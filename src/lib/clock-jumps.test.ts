import assert from 'node:assert/strict'
import { test } from 'node:test'

import { HOUR, later, MINUTE } from './clock.ts'
import { jumpsOf } from './clock-jumps.ts'

test('a clock that is set forward is known by a timer that is not', () => {
  let now = new Date('2026-01-01T00:00:00Z')
  let timed = 0
  const jumped = jumpsOf({ now: () => now }, { now: () => timed, after: () => () => {} })
  const pass = (milliseconds: number) => {
    timed += milliseconds
    now = later(now, milliseconds)
  }
  pass(3 * HOUR)
  assert.equal(jumped(), undefined)
  now = later(now, 2 * HOUR)
  pass(MINUTE)
  const at = now
  assert.deepEqual(jumped(), at)
  pass(HOUR)
  assert.deepEqual(jumped(), at)
  // What was noted before the jump is right again.
  now = later(now, -2 * HOUR)
  assert.equal(jumped(), undefined)
  pass(3 * HOUR)
  assert.equal(jumped(), undefined)
})
