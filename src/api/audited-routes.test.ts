/** That no way to change something is left out of the audit log, whatever comes of it. */

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'

import { aGrantedLogin } from '../../test/a-browser-login.ts'
import { anApi } from '../../test/an-api.ts'
import { aDatabase } from '../../test/postgres.ts'
import { listing } from '../../test/whole-server.ts'
import { systemClock } from '../lib/clock.ts'
import { isRead } from '../model/route-needs.ts'
import { digestOf } from '../model/token.ts'
import { findAudit } from '../store/audit.ts'
import { browserLoginOfCli } from '../store/browser-logins.ts'
import type { Database } from '../store/queryable.ts'
import { awaitBrowserLogin } from './await-browser-login.ts'

const pool = aDatabase()

/** They know their caller by what only the handler reads: tests of their own say what they write down. */
const OPEN = ['POST /auth', 'POST /auth/browser', 'PUT /sources/:token']

test('every route that changes something has its row', async () => {
  const routes: string[] = []
  const { call } = await anApi(pool, { before: [listing(routes)] })
  await call('POST /apps', { name: 'audited-app' })
  const writes = routes.filter((it) => !isRead(it.split(' ')[0] ?? ''))
  assert.ok(writes.length > 50)
  for (const route of writes.filter((it) => !OPEN.includes(it))) {
    const [method = '', pattern = ''] = route.split(' ')
    const path = pattern.replace(':app', 'audited-app').replaceAll(/:\w+/g, 'none')
    await pool.query('delete from audit')
    const { status } = await call(`${method} ${path}`, {})
    const [entry, ...others] = await findAudit(pool, { most: 10 })
    assert.deepEqual(
      [entry?.method, entry?.route, entry?.status, others.length],
      [method, pattern, status, 0],
      route,
    )
  }
})

test('the token that a CLI is given has one, with its id and the address of the CLI', async () => {
  const { account } = await anApi(pool)
  const { id, cliSha256 } = await aGrantedLogin(pool, account.id)
  await pool.query('delete from audit')
  const { signal } = new AbortController()
  const by = { address: '192.0.2.7', request: randomUUID() }
  const deps = { pool, clock: systemClock, ending: signal }
  let said = ''
  for await (const piece of awaitBrowserLogin(deps, {
    look: () => browserLoginOfCli(pool, id, cliSha256),
    by,
    signal,
  })) {
    said += piece
  }
  const { access_token: token = '' } = JSON.parse(said) as Record<string, string>
  const { rows } = await pool.query<{ id: string }>(
    'select id from authorizations where token_sha256 = $1',
    [digestOf(token)],
  )
  const [entry, ...others] = await findAudit(pool, { most: 10 })
  assert.ok(entry && rows[0])
  assert.equal(others.length, 0)
  const { account: whose, email, address, request, method, route, nouns, status } = entry
  assert.deepEqual(
    { whose, email, address, request, said: [method, route, status], nouns },
    {
      whose: account.id,
      email: account.email,
      ...by,
      said: ['GET', '/auth/cli/:login', 200],
      nouns: { made: rows[0].id },
    },
  )
})

test('what cannot be written there is in the log, whole', async () => {
  const logged: unknown[] = []
  const log = {
    info() {},
    error: (...it: readonly unknown[]) => void logged.push(it),
  }
  const failing: Database = {
    query: async (text, values) => {
      if (/insert into audit/.test(text)) throw new Error('no room')
      return pool.query(text, values as unknown[])
    },
    connect: async () => pool.connect(),
  }
  const { call, account, token } = await anApi(failing, { log })
  const { status, body } = await call('POST /apps', { name: 'kept-anyway' })
  assert.equal(status, 201)
  const [message, error, { entry }] = logged[0] as [
    string,
    Error,
    { readonly entry: Record<string, unknown> },
  ]
  assert.equal(message, 'a change could not be audited')
  assert.equal(error.message, 'no room')
  const { account: whose, address, route, nouns } = entry
  assert.deepEqual(
    { whose, address, route, nouns, status: entry['status'] },
    {
      whose: account.id,
      address: '127.0.0.1',
      route: '/apps',
      nouns: { made: body['id'], name: 'kept-anyway' },
      status: 201,
    },
  )
  assert.ok(!JSON.stringify(entry).includes(token))
})
