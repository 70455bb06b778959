import assert from 'node:assert/strict'
import { test } from 'node:test'

import { MINUTE } from './clock.ts'
import { turns } from './turns.ts'

const { signal } = new AbortController()

test('who has had all of theirs waits for one of them, and others do not', async () => {
  const of = turns({ atOnce: 1, inLine: 2, patience: MINUTE })
  const first = await of.take('one', signal)
  const order: string[] = []
  const waiting = ['second', 'third'].map(async (name) => {
    const end = await of.take('one', signal)
    order.push(name)
    return end
  })
  assert.equal(await of.take('one', signal), undefined, 'two wait already')
  assert.ok(await of.take('another', signal))
  assert.deepEqual(order, [])
  first?.()
  const second = await waiting[0]
  assert.deepEqual(order, ['second'])
  second?.()
  const third = await waiting[1]
  third?.()
  assert.ok(await of.take('one', signal))
})

test('who waits too long, or goes, is not in the line any more', async () => {
  const of = turns({ atOnce: 1, inLine: 1, patience: 10 })
  const first = await of.take('one', signal)
  assert.equal(await of.take('one', signal), undefined)
  const patient = turns({ atOnce: 1, inLine: 1, patience: MINUTE })
  const held = await patient.take('one', signal)
  const gone = new AbortController()
  const waiting = patient.take('one', gone.signal)
  gone.abort()
  assert.equal(await waiting, undefined)
  const next = patient.take('one', signal)
  held?.()
  assert.ok(await next)
  first?.()
  assert.ok(await of.take('one', signal))
})
