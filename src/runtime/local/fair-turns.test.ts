import assert from 'node:assert/strict'
import { test } from 'node:test'

import { fairTurns } from './fair-turns.ts'

test('askers take turns, one of each at a time, and no more at once than may', async () => {
  const inTurn = fairTurns(2)
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  const all = ['a1', 'a2', 'a3', 'b1', 'b2', 'c1'].map((name) =>
    inTurn(name.charAt(0), () => {
      begun.push(name)
      return new Promise((resolve) => ends.set(name, resolve))
    }),
  )
  const expect = async (end: string, ...now: readonly string[]) => {
    ends.get(end)?.()
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(begun.splice(0), now)
  }
  await expect('', 'a1', 'b1')
  await expect('a1', 'c1')
  await expect('b1', 'a2')
  await expect('c1', 'b2')
  await expect('a2', 'a3')
  await expect('a3')
  await expect('b2')
  await Promise.all(all)
})

test('one that fails makes room as well', async () => {
  const inTurn = fairTurns(1)
  const failing = inTurn('a', () => Promise.reject(new Error('broken')))
  const next = inTurn('a', async () => {})
  await assert.rejects(failing, /broken/)
  await next
})
