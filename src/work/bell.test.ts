import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Timer } from '../lib/timer.ts'
import { Bell } from './bell.ts'

/** Time stands still: nothing but a ring or a signal ends a wait. */
const still: Timer = { now: () => 0, after: () => () => {} }

test(
  'a ring while nobody waits is heard by the next who does',
  { timeout: 5000 },
  async () => {
    const bell = new Bell(still)
    bell.ring()
    await bell.wait(1, new AbortController().signal)
  },
)

test('nobody waits who was told to end before', { timeout: 5000 }, async () => {
  const bell = new Bell(still)
  let isOver = false
  void bell.wait(1, AbortSignal.abort()).then(() => (isOver = true))
  await new Promise(setImmediate)
  assert.ok(isOver)
})
