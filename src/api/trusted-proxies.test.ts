import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApi } from '../../test/an-api.ts'
import { aDatabase } from '../../test/postgres.ts'
import { findAudit } from '../store/audit.ts'
import { clientOf } from './trusted-proxies.ts'

const pool = aDatabase()

/** The connection's address, `X-Forwarded-For`, the proxies, and from where it is said to come. */
const cases: readonly [string | undefined, string | undefined, string[], string][] = [
  ['127.0.0.1', undefined, [], '127.0.0.1'],
  ['127.0.0.1', '203.0.113.7', [], '127.0.0.1'],
  ['127.0.0.1', '203.0.113.7', ['127.0.0.1'], '203.0.113.7'],
  ['::1', '2001:db8::7', ['::1'], '2001:db8::7'],
  ['::ffff:127.0.0.1', '::ffff:203.0.113.7', ['127.0.0.1'], '203.0.113.7'],
  // What the client itself wrote comes before.
  ['127.0.0.1', '192.0.2.1, 203.0.113.7', ['127.0.0.1'], '203.0.113.7'],
  ['127.0.0.1', '203.0.113.7, 10.1.2.3', ['127.0.0.1', '10.1.0.0/16'], '203.0.113.7'],
  ['127.0.0.1', '203.0.113.7, 10.2.2.3', ['127.0.0.1', '10.1.0.0/16'], '10.2.2.3'],
  ['10.9.9.9', '203.0.113.7', ['127.0.0.1'], '10.9.9.9'],
  ['127.0.0.1', 'unknown', ['127.0.0.1'], '127.0.0.1'],
  ['127.0.0.1', '203.0.113.7, nonsense', ['127.0.0.1'], '127.0.0.1'],
  ['127.0.0.1', '127.0.0.1, 127.0.0.1', ['127.0.0.1'], '127.0.0.1'],
  ['127.0.0.1', '', ['127.0.0.1'], '127.0.0.1'],
  [undefined, undefined, ['127.0.0.1'], '::'],
]

for (const [remoteAddress, told, proxies, client] of cases) {
  test(`from ${remoteAddress} with ${told}, where ${proxies.join()} may tell, is from ${client}`, () => {
    const headers = told === undefined ? {} : { 'x-forwarded-for': told }
    assert.equal(clientOf({ socket: { remoteAddress }, headers }, proxies), client)
  })
}

const login = (call: Awaited<ReturnType<typeof anApi>>['call'], address: string) =>
  call(
    'POST /oauth/authorizations',
    {},
    {
      authorization: `Basic ${Buffer.from('nobody@example.com:wrong').toString('base64')}`,
      'x-forwarded-for': address,
    },
  )

test('who is behind a trusted proxy is told apart, in the audit log too', async () => {
  const { call } = await anApi(pool, { trustedProxies: ['127.0.0.1'] })
  for (let n = 0; n < 60; n++) {
    assert.ok(
      (await call('POST /auth', {}, { 'x-forwarded-for': '203.0.113.7' })).status < 300,
    )
  }
  const more = await call('POST /auth', {}, { 'x-forwarded-for': '203.0.113.7' })
  assert.equal(more.status, 429)
  const other = await call('POST /auth', {}, { 'x-forwarded-for': '203.0.113.8' })
  assert.equal(other.status, 201)
  assert.equal((await login(call, '203.0.113.9')).status, 401)
  assert.equal((await findAudit(pool, { most: 1 }))[0]?.address, '203.0.113.9')
})

test('who says so without one is where the connection comes from', async () => {
  const { call } = await anApi(pool)
  assert.equal((await login(call, '203.0.113.9')).status, 401)
  assert.equal((await findAudit(pool, { most: 1 }))[0]?.address, '127.0.0.1')
})
