import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApi } from '../../test/an-api.ts'
import { aDatabase } from '../../test/postgres.ts'
import { later, MINUTE } from '../lib/clock.ts'
import { Problem } from '../model/problem.ts'
import { rateLimit } from './rate-limit.ts'

const pool = aDatabase()

test('a bucket holds an hour of requests, and fills steadily', () => {
  let now = new Date('2026-01-01T00:00:00Z')
  const limit = rateLimit({ now: () => now }, () => 60)
  for (let left = 59; left >= 0; left -= 1) assert.equal(limit.take('one'), left)
  assert.throws(() => limit.take('one'), refused)
  assert.equal(limit.take('another'), 59)

  now = later(now, 2 * MINUTE)
  assert.equal(limit.left('one'), 2)
  assert.equal(limit.take('one'), 1)
  assert.equal(limit.take('one'), 0)
  assert.throws(() => limit.take('one'), refused)
  now = later(now, 600 * MINUTE)
  assert.equal(limit.left('one'), 60)
})

test('a token that has made all its requests is refused, and may ask when it will not be', async () => {
  const { call } = await anApi(pool, { requestsPerHour: 2 })
  assert.equal((await call('GET /apps')).headers['ratelimit-remaining'], '1')
  assert.deepEqual((await call('GET /account/rate-limits')).body, { remaining: 1 })
  assert.equal((await call('GET /nowhere')).headers['ratelimit-remaining'], '0')
  const { status, body } = await call('GET /apps')
  assert.equal(status, 429)
  assert.equal(body.id, 'rate_limit')
  const { status: free, body: limits } = await call('GET /account/rate-limits')
  assert.equal(free, 200)
  assert.deepEqual(limits, { remaining: 0 })
})

function refused(error: unknown): boolean {
  return error instanceof Problem && error.id === 'rate_limit'
}
