/** How many of a formation are replaced at a time. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aDyno } from '../../test/a-dyno.ts'
import {
  crashedTwice,
  leaving,
  now,
  planFor,
  starting,
  told,
  v2,
  type World,
} from '../../test/a-plan.ts'

test('a quarter of a formation, rounded up, is replaced at a time', () => {
  for (const [quantity, atOnce] of [
    [1, 1],
    [4, 1],
    [5, 2],
    [8, 2],
    [9, 3],
  ] as const) {
    const dynos = Array.from({ length: quantity }, (_, index) =>
      aDyno({ ordinal: index + 1 }),
    )
    const steps = planFor({ formation: { quantity, release: v2 }, dynos })
    assert.equal(steps.length, atOnce, `of ${quantity}`)
  }
})

test('a dyno without room on the machine does not keep the others from a release', () => {
  const waiting = aDyno({ ...starting, ordinal: 2, release: v2, waitingFor: 'capacity' })
  const steps = planFor({
    formation: { quantity: 2, release: v2 },
    dynos: [aDyno({ ordinal: 1 }), waiting],
  })
  assert.ok(steps.some((it) => it.do === 'replace'))
})

test('a release that does not boot costs no more than its batch', () => {
  const dynos = [1, 2, 3, 4].map((ordinal) => aDyno({ ordinal }))
  const stuck = [
    { ...leaving, ordinal: 1 },
    { ...crashedTwice, release: v2, ordinal: 1 },
  ]
  const facts: World = {
    formation: { quantity: 4, release: v2 },
    dynos: [...stuck, ...dynos.slice(1)],
  }
  assert.deepEqual(
    told(planFor(facts)).filter((it) => it.startsWith('replace')),
    [],
  )
})

test('places that were scaled away keep nobody from a release', () => {
  const ending = [5, 6, 7, 8].map((ordinal) =>
    aDyno({ ordinal, state: 'stopping', stopReason: 'scale down', terminatedAt: now }),
  )
  const steps = planFor({
    formation: { quantity: 4, release: v2 },
    dynos: [...[1, 2, 3, 4].map((ordinal) => aDyno({ ordinal })), ...ending],
    status: { is: 'running', startedAt: now, listening: true, terminated: true },
  })
  assert.deepEqual(
    told(steps).filter((it) => it.startsWith('replace')),
    ['replace web.1: release'],
  )
})
