import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApi } from '../../../test/an-api.ts'
import { aDatabase } from '../../../test/postgres.ts'
import { HEROKU_LIMITS } from '../../model/limits.ts'

const pool = aDatabase()

test('an app is given domains, and they are taken from it', async () => {
  const { call } = await anApi(pool)
  for (const name of ['mine', 'other']) await call('POST /apps', { name })
  const add = (app: string, hostname: string) =>
    call(`POST /apps/${app}/domains`, { hostname, sni_endpoint: null })
  await pool.query('delete from work')

  const added = await add('mine', 'WWW.Example.com')
  assert.equal(added.status, 201)
  const { hostname, kind, cname, status } = added.body
  assert.deepEqual(
    { hostname, kind, cname, status },
    {
      hostname: 'www.example.com',
      kind: 'custom',
      cname: 'mine.localhost',
      status: 'none',
    },
  )
  const { rows } = await pool.query(
    `select count(*)::int as woken from work where kind = 'router'`,
  )
  assert.ok((rows[0] as { woken: number }).woken > 0)

  for (const [app, name, message] of [
    ['mine', 'www.example.com', 'www.example.com is already added to this app.'],
    ['other', 'www.example.com', 'www.example.com is currently in use by another app.'],
    ['mine', 'not a name', 'not a name is not a valid domain name.'],
    ['mine', 'other.localhost', 'other.localhost is among the default domains of apps.'],
    ['mine', '*.localhost', '*.localhost is not a valid domain name.'],
  ] as const) {
    const refused = await add(app, name)
    assert.equal(refused.status, 422)
    assert.equal(refused.body['message'], message)
  }
  const certificate = { hostname: 'a.example.com', sni_endpoint: 'tokyo-1' }
  assert.equal((await call('POST /apps/mine/domains', certificate)).status, 404)

  const listed = (await call('GET /apps/mine/domains')).body as unknown as {
    hostname: string
  }[]
  assert.deepEqual(listed.map((it) => it.hostname).toSorted(), [
    'mine.localhost',
    'www.example.com',
  ])
  assert.equal((await call('GET /apps/mine/domains/www.EXAMPLE.com')).status, 200)
  assert.equal((await call('DELETE /apps/other/domains/www.example.com')).status, 404)
  assert.equal((await call('DELETE /apps/mine/domains/mine.localhost')).status, 422)
  assert.equal((await call('DELETE /apps/mine/domains/www.example.com')).status, 200)
  assert.equal((await call('GET /apps/mine/domains/www.example.com')).status, 404)
  const { rows: lines } = await pool.query<{ message: string }>(
    `select message from log_lines where message like '%domain%' order by id`,
  )
  assert.deepEqual(
    lines.map((it) => it.message.replace(/ by user .*/, '')),
    ['Add www.example.com domain', 'Remove www.example.com domain'],
  )
})

test('a destroyed app’s domains are anybody’s', async () => {
  const { call } = await anApi(pool)
  const domain = { hostname: 'free.example.com', sni_endpoint: null }
  for (const name of ['first', 'second']) await call('POST /apps', { name })
  assert.equal((await call('POST /apps/first/domains', domain)).status, 201)
  await call('DELETE /apps/first')
  assert.equal((await call('POST /apps/second/domains', domain)).status, 201)
})

test('an app has no more domains than it may have', async () => {
  const { call } = await anApi(pool, { limits: { ...HEROKU_LIMITS, domains: 1 } })
  await call('POST /apps', { name: 'few' })
  const add = (hostname: string) =>
    call('POST /apps/few/domains', { hostname, sni_endpoint: null })
  assert.equal((await add('one.example.org')).status, 201)
  const second = await add('two.example.org')
  assert.equal(second.status, 422)
  assert.equal(second.body['message'], 'An app may have at most 1 domains.')
})

test('webhooks hear of domains', async () => {
  const { call } = await anApi(pool)
  await call('POST /apps', { name: 'told' })
  const hook = { include: ['api:domain'], level: 'sync', url: 'https://198.41.0.4/' }
  await call('POST /apps/told/webhooks', hook)
  const at = '/apps/told/domains/told.example.com'
  await call('POST /apps/told/domains', { hostname: 'told.example.com' })
  await call(`PATCH ${at}`, { sni_endpoint: null })
  await call(`DELETE ${at}`)
  const { rows } = await pool.query<{ told: string }>(
    `select payload->>'action' || ' ' || (payload->'data'->>'hostname') as told
       from webhook_events where include = 'api:domain' order by seq`,
  )
  assert.deepEqual(
    rows.map((row) => row.told),
    ['create', 'update', 'destroy'].map((action) => `${action} told.example.com`),
  )
})
