import assert from 'node:assert/strict'
import { test } from 'node:test'

import { places, sharedPlaces } from './places.ts'

test('who has had all of theirs waits for one of them, and others do not', () => {
  const of = places({ ofEach: 2, ofAll: 3 })
  const [first, second] = [of.take('one'), of.take('one')]
  assert.ok(typeof first !== 'string' && typeof second !== 'string')
  assert.equal(of.take('one'), 'each')
  assert.equal(typeof of.take('another'), 'function')
  assert.equal(of.take('third'), 'all')
  first()
  assert.equal(typeof of.take('third'), 'function')
  second()
  assert.equal(typeof of.take('one'), 'function')
  assert.equal(of.take('one'), 'all')
})

test('who is refused as an account takes no place of the thing, and gives both back', () => {
  const of = sharedPlaces({ ofEach: 2, ofAll: 3, ofAccount: 1 })
  const first = of.take('a log', 'one')
  assert.ok(typeof first !== 'string')
  assert.equal(of.take('a log', 'one'), 'account')
  assert.equal(typeof of.take('a log', 'another'), 'function')
  assert.equal(of.take('a log', 'third'), 'each')
  first()
  assert.equal(typeof of.take('a log', 'one'), 'function')
  assert.equal(typeof of.take('another', 'third'), 'function')
  assert.equal(of.take('another', 'fourth'), 'all')
})
