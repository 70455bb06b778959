/** How many requests of an account are under way at once. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'

import { anApi } from '../../test/an-api.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { createAccount } from '../actions/create-account.ts'
import { issueToken } from '../actions/issue-token.ts'
import { inTransaction } from '../store/queryable.ts'
import type { Resource } from './server.ts'

const pool = aDatabase()

const AT_ONCE = 5
const IN_LINE = 200

/** A route whose handler ends when it is told. */
function aSlowRoute() {
  const under: (() => void)[] = []
  let all = 0
  const slow: Resource = async (server) => {
    server.get('/slow', async () => {
      all += 1
      await new Promise<void>((resolve) => under.push(resolve))
      return {}
    })
  }
  return { slow, under, entered: () => all }
}

async function another(): Promise<string> {
  return inTransaction(pool, async (tx) => {
    const account = await createAccount(tx, { email: 'another@example.com', name: null })
    return issueToken(tx, account)
  })
}

test('those beyond a few wait, and those beyond many are refused; others do not notice', async () => {
  const { slow, under, entered } = aSlowRoute()
  const { call, as } = await anApi(pool, { before: [slow] })
  const token = await another()
  const statuses: number[] = []
  const asking = Array.from({ length: AT_ONCE + IN_LINE + 3 }, async () => {
    const { status } = await call('GET /slow')
    statuses.push(status)
  })
  await until('three are refused', () => statuses.length === 3)
  assert.deepEqual(statuses, [429, 429, 429])
  assert.equal(entered(), AT_ONCE)
  assert.equal((await as(token)('GET /account')).status, 200)
  while (entered() < AT_ONCE + IN_LINE || under.length > 0) {
    under.shift()?.()
    await new Promise((resolve) => setImmediate(resolve))
    assert.ok(under.length <= AT_ONCE)
  }
  await Promise.all(asking)
  assert.equal(statuses.filter((it) => it === 200).length, AT_ONCE + IN_LINE)
})

test('who hangs up has the turn until the handler ends', async (t) => {
  const { slow, under, entered } = aSlowRoute()
  const { server, call, token, as } = await anApi(pool, { before: [slow] })
  const others = await another()
  let gone = 0
  const listening = createServer((incoming, reply) => {
    reply.once('close', () => (gone += 1))
    server.routing(incoming, reply)
  })
  listening.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  t.after(() => listening.close())
  const { port } = listening.address() as AddressInfo
  const headers = {
    accept: 'application/vnd.heroku+json; version=3',
    authorization: `Bearer ${token}`,
  }
  const asked = Array.from({ length: AT_ONCE }, () => {
    const it = request({ port, path: '/slow', headers })
    it.on('error', () => {})
    return it.end()
  })
  await until('all are under way', () => entered() === AT_ONCE)
  for (const it of asked) it.destroy()
  await until('the server has seen that they are gone', () => gone === AT_ONCE)
  const next = call('GET /slow')
  // Sent after it, and answered.
  assert.equal((await as(others)('GET /account')).status, 200)
  assert.equal((await as(others)('GET /account')).status, 200)
  assert.equal(entered(), AT_ONCE)
  for (const end of under.splice(0)) end()
  await until('the next is under way', () => entered() === AT_ONCE + 1)
  under.shift()?.()
  assert.equal((await next).status, 200)
})
