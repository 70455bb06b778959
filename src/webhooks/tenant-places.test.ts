import assert from 'node:assert/strict'
import { test } from 'node:test'

import { SECOND } from '../lib/clock.ts'
import { tenantPlaces } from './tenant-places.ts'

test('of a tenant sixteen are under way, and the others come one after another', () => {
  let now = 0
  const its = tenantPlaces({ now: () => now })
  const taken = Array.from({ length: 16 }, () => its.take('one'))
  assert.ok(taken.every((it) => typeof it === 'function'))
  const waits = Array.from({ length: 1000 }, () => Number(its.take('one')))
  assert.ok(waits.every((it, nth) => it > SECOND && it >= (waits[nth - 1] ?? 0)))
  assert.equal(waits[31], 3 * SECOND)
  assert.equal(waits.at(-1), 30 * SECOND)
  assert.equal(typeof its.take('another'), 'function')

  const [first] = taken
  if (typeof first === 'function') first()
  assert.equal(typeof its.take('one'), 'function')
  now += 60 * SECOND
  assert.equal(its.take('one'), SECOND + SECOND / 16)
})
