import assert from 'node:assert/strict'
import { test } from 'node:test'

import { serially } from './serially.ts'

test('runs never overlap, and a call during a run gets one that begins after it', async () => {
  const ends: (() => void)[] = []
  let began = 0
  const run = serially(async () => {
    began += 1
    await new Promise<void>((resolve) => ends.push(resolve))
  })
  const first = run()
  const second = run()
  assert.equal(run(), second)
  assert.equal(began, 1)
  ends.shift()?.()
  await first
  assert.equal(began, 2)
  ends.shift()?.()
  await second
})

test('a run that fails does not keep the next from running', async () => {
  let runs = 0
  const run = serially(async () => {
    runs += 1
    if (runs === 1) throw new Error('once')
  })
  const first = run()
  const second = run()
  await assert.rejects(first, /once/)
  await second
  assert.equal(runs, 2)
})
