import assert from 'node:assert/strict'
import { test } from 'node:test'

import { DAY, later } from '../lib/clock.ts'
import { spanOf } from './local-certificate.ts'

test('certificates are made anew every 180 days, and not those of all hosts at once', () => {
  const hosts = Array.from({ length: 300 }, (_, n) => `app-${n}.localhost`)
  const start = new Date('2026-01-01T00:00:00Z')
  const days = Array.from({ length: 361 }, (_, day) => later(start, day * DAY))
  const renewals = days.map(() => 0)
  for (const host of hosts) {
    const spans = days.map((now) => spanOf(now, host))
    const changes = spans.flatMap((span, day) =>
      day > 0 && span !== spans[day - 1] ? [day] : [],
    )
    assert.equal(changes.length, 2)
    assert.equal((changes[1] ?? 0) - (changes[0] ?? 0), 180)
    for (const day of changes) renewals[day] = (renewals[day] ?? 0) + 1
  }
  assert.ok(Math.max(...renewals) < 15, `${Math.max(...renewals)} in a day`)
})
