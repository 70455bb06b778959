import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApi } from '../../test/an-api.ts'
import { aDatabase } from '../../test/postgres.ts'
import { later, MINUTE } from '../lib/clock.ts'
import { Problem } from '../model/problem.ts'
import { type Allowance, rateLimit, USUAL_ALLOWANCE } from './rate-limit.ts'

const pool = aDatabase()

const one = { account: { id: 'one' }, authorization: 'first token of one' }
const oneAgain = { account: { id: 'one' }, authorization: 'second token of one' }
const oneByPassword = { account: { id: 'one' } }
const another = { account: { id: 'another' }, authorization: 'token of another' }

test('a bucket holds an hour of requests, and fills steadily', () => {
  let now = new Date('2026-01-01T00:00:00Z')
  const limit = rateLimit({ now: () => now }, allowing({ requestsPerHour: 60 }))
  for (let left = 59; left >= 0; left -= 1) assert.equal(limit.take(one), left)
  assert.throws(() => limit.take(one), refused)
  assert.equal(limit.take(another), 59)

  now = later(now, 2 * MINUTE)
  assert.equal(limit.left(one), 2)
  assert.equal(limit.take(one), 1)
  assert.equal(limit.take(one), 0)
  assert.throws(() => limit.take(one), refused)
  now = later(now, 600 * MINUTE)
  assert.equal(limit.left(one), 60)
})

test('what is counted is the account, with all its tokens', () => {
  const limit = rateLimit({ now: () => new Date(0) }, allowing({ requestsPerHour: 3 }))
  assert.equal(limit.take(one), 2)
  assert.equal(limit.take(oneAgain), 1)
  assert.equal(limit.take(oneByPassword), 0)
  for (const it of [one, oneAgain, oneByPassword]) {
    assert.throws(() => limit.take(it), refused)
  }
})

test('or each token, where the operator wants it so, and the account where there is none', () => {
  const limit = rateLimit(
    { now: () => new Date(0) },
    allowing({ requestsPerHour: 1, rateLimitPer: 'token' }),
  )
  for (const it of [one, oneAgain, oneByPassword]) {
    assert.equal(limit.take(it), 0)
    assert.throws(() => limit.take(it), refused)
  }
})

test('but no account asks without end by tokens that it makes for it', () => {
  let now = new Date(0)
  const limit = rateLimit(
    { now: () => now },
    allowing({ requestsPerHour: 60, rateLimitPer: 'token' }),
  )
  for (let n = 0; n < 600; n += 1) assert.ok(limit.take(fresh(n)) >= 0)
  assert.equal(limit.left(fresh(600)), 0)
  assert.throws(() => limit.take(fresh(600)), refused)
  assert.equal(limit.take(another), 59)
  // It fills ten times as fast as a token’s.
  now = later(now, 2 * MINUTE)
  for (let n = 0; n < 20; n += 1) limit.take(fresh(n))
  assert.throws(() => limit.take(fresh(20)), refused)
})

test('a token that has made all its requests is refused, and may ask when it will not be', async () => {
  const { call } = await anApi(pool, { allowance: { requestsPerHour: 2 } })
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

test('of two tokens of an account each has its own, where tokens are counted', async () => {
  const { call } = await anApi(pool, {
    allowance: { requestsPerHour: 1, rateLimitPer: 'token' },
  })
  const created = await call('POST /oauth/authorizations', { description: 'a second' })
  assert.equal(created.status, 201)
  assert.equal((await call('GET /apps')).status, 429)
  const authorization = `Bearer ${created.body['access_token']?.['token']}`
  const headers = { authorization }
  assert.equal((await call('GET /apps', undefined, headers)).status, 200)
  assert.equal((await call('GET /apps', undefined, headers)).status, 429)
})

function fresh(nth: number) {
  return { ...one, authorization: `token ${nth}` }
}

function allowing(some: Partial<Allowance>): () => Allowance {
  return () => ({ ...USUAL_ALLOWANCE, ...some })
}

function refused(error: unknown): boolean {
  return error instanceof Problem && error.id === 'rate_limit'
}
