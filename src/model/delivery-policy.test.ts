import assert from 'node:assert/strict'
import { test } from 'node:test'

import { HOUR, later, MINUTE, SECOND } from '../lib/clock.ts'
import { nextAttempt } from './delivery-policy.ts'

const createdAt = new Date('2026-01-01T00:00:00Z')

test('who is only notified is not told again', () => {
  assert.equal(
    nextAttempt({ level: 'notify', createdAt, attempts: 1 }, createdAt),
    undefined,
  )
})

test('the delay grows to an hour, and there is an end after three days', () => {
  let now = createdAt
  const delays: number[] = []
  for (let attempts = 1; ; attempts++) {
    const next = nextAttempt({ level: 'sync', createdAt, attempts }, now)
    if (!next) break
    delays.push(next.getTime() - now.getTime())
    now = next
  }
  assert.ok((delays[0] ?? 0) <= 6 * SECOND)
  assert.ok(delays.every((it) => it <= 1.1 * HOUR))
  assert.ok((delays.at(-1) ?? 0) >= 0.9 * HOUR)
  assert.ok(now < later(createdAt, 72 * HOUR))
  assert.ok(now > later(createdAt, 70 * HOUR + 50 * MINUTE))
})
