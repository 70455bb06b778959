import assert from 'node:assert/strict'
import { test } from 'node:test'

import { DAY, HOUR, later, MINUTE } from '../lib/clock.ts'
import type { OrderingFacts } from '../store/acme-tries.ts'
import {
  ORDERS,
  ORDERS_OF_NAME,
  pauseAfter,
  planOrdering,
  retryOfLimited,
} from './plan-ordering.ts'

const now = new Date('2026-06-01T00:00:00Z')
const after = (milliseconds: number) => later(now, milliseconds)
const triesAt = (first: number, count: number) =>
  Array.from({ length: count }, (_, nth) => after(first + nth))

const cases: [string, Partial<OrderingFacts>, number | undefined][] = [
  ['nobody had any', {}, undefined],
  ['the owner may have one more', { tries: triesAt(-HOUR, ORDERS.most - 1) }, undefined],
  ['the owner had as many as may be', { tries: triesAt(-HOUR, ORDERS.most) }, 2 * HOUR],
  ['and more', { tries: triesAt(-HOUR, ORDERS.most + 7) }, 2 * HOUR + 7],
  [
    'as many, by a clock that was ahead',
    { tries: triesAt(HOUR, ORDERS.most) },
    undefined,
  ],
  ['the owner was refused', { heldUntil: after(5 * MINUTE) }, 5 * MINUTE],
  ['the owner was refused a while ago', { heldUntil: after(-1) }, undefined],
  ['the owner was refused by a clock ahead', { heldUntil: after(2 * HOUR) }, undefined],
  ['nobody is to ask', { pausedUntil: after(2 * HOUR) }, 2 * HOUR],
  ['nobody was to, by a clock ahead', { pausedUntil: after(2 * DAY) }, undefined],
  ['the name had one', { triesOfName: triesAt(-MINUTE / 2, 1) }, MINUTE / 2],
  ['the name had one a while ago', { triesOfName: triesAt(-MINUTE, 1) }, undefined],
  [
    'the name had some',
    { triesOfName: triesAt(-MINUTE, ORDERS_OF_NAME.most - 1) },
    14 * MINUTE + ORDERS_OF_NAME.most - 2,
  ],
  [
    'the name had as many as may be',
    { triesOfName: triesAt(-10 * MINUTE, ORDERS_OF_NAME.most) },
    50 * MINUTE,
  ],
  [
    'the name had as many, but not lately',
    { triesOfName: triesAt(-HOUR, ORDERS_OF_NAME.most).map((at) => later(at, -MINUTE)) },
    undefined,
  ],
  ['the name had one by a clock ahead', { triesOfName: triesAt(HOUR, 1) }, undefined],
  ['both', { heldUntil: after(HOUR), pausedUntil: after(MINUTE) }, HOUR],
]
for (const [what, but, expected] of cases) {
  test(`${what}: ${expected === undefined ? 'now' : `in ${expected / MINUTE} minutes`}`, () => {
    const facts = {
      tries: [],
      triesOfName: [],
      heldUntil: null,
      pausedUntil: null,
      ...but,
    }
    const wait = planOrdering(facts, now)
    assert.equal(wait && wait.until.getTime() - now.getTime(), expected)
    if (wait) assert.ok(wait.reason.includes(wait.until.toISOString()), wait.reason)
  })
}

test('all wait as long as it says only when one after the other is refused', () => {
  const pauses = [0, 1, 2, 3, 4, 1000].map((refusals) => pauseAfter(refusals, 2 * HOUR))
  assert.equal(pauses[0], MINUTE)
  assert.deepEqual(
    pauses,
    pauses.toSorted((one, other) => one - other),
  )
  assert.equal(pauses.at(-1), 2 * HOUR)
})

test('what an authority says of when is neither at once nor never', () => {
  assert.equal(retryOfLimited(0), MINUTE)
  assert.equal(retryOfLimited(2 * HOUR), 2 * HOUR)
  assert.equal(retryOfLimited(365 * DAY), DAY)
  assert.equal(retryOfLimited(undefined), HOUR)
})
