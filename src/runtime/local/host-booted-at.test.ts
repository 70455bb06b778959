import assert from 'node:assert/strict'
import { uptime } from 'node:os'
import { test } from 'node:test'

import { SECOND } from '../../lib/clock.ts'
import { hostBootedAt } from './host-booted-at.ts'

test("the machine's start is as long ago as it is up", () => {
  const ago = Date.now() - Number(hostBootedAt())
  assert.ok(Math.abs(ago - uptime() * SECOND) < 5 * SECOND, `${ago} ms ago`)
})

test('a machine that does not tell has none', () => {
  assert.equal(hostBootedAt('cpu  1 2 3\nprocesses 4\n'), undefined)
})
