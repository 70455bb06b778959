import assert from 'node:assert/strict'
import { test } from 'node:test'

import { newId } from '../model/ids.ts'
import { gitTurns } from './git-turns.ts'

const [one, another, third] = [newId<'account'>(), newId<'account'>(), newId<'account'>()]

test('who has had their turns waits for one of them, and others do not', () => {
  const turns = gitTurns({ ofAccount: 2, ofAll: 3 })
  const [first, second] = [turns.take(one), turns.take(one)]
  assert.ok(typeof first !== 'string' && typeof second !== 'string')
  assert.equal(turns.take(one), 'account')
  assert.equal(typeof turns.take(another), 'function')
  assert.equal(turns.take(third), 'all')
  first()
  assert.equal(typeof turns.take(third), 'function')
  second()
  assert.equal(typeof turns.take(one), 'function')
  assert.equal(turns.take(one), 'all')
})
