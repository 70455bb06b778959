import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApi } from '../../test/an-api.ts'
import { aDatabase } from '../../test/postgres.ts'
import type { Facts, Log } from '../lib/log.ts'
import type { ApiDeps } from './deps.ts'
import { apiServer } from './server.ts'

const pool = aDatabase()

const accepted = ['3', '3.sdk', '3.docker-releases', '3.webhooks']
for (const version of accepted) {
  test(`version ${version} is spoken`, async () => {
    const { call } = await anApi(pool)
    const accept = `application/vnd.heroku+json; version=${version}`
    assert.equal((await call('GET /account', undefined, { accept })).status, 200)
  })
}

for (const accept of [
  '*/*',
  'application/json',
  'application/vnd.heroku+json; version=2',
]) {
  test(`${accept} is not acceptable`, async () => {
    const { call } = await anApi(pool)
    const { status, body } = await call('GET /account', undefined, { accept })
    assert.equal(status, 406)
    assert.equal(body.id, 'not_acceptable')
  })
}

test('a token is taken as a bearer token and as the password of any user', async () => {
  const { call, token } = await anApi(pool)
  const basic = (user: string) =>
    `Basic ${Buffer.from(`${user}:${token}`).toString('base64')}`
  for (const authorization of [
    `Bearer ${token}`,
    `bearer ${token}`,
    basic(''),
    basic('dev@example.com'),
    basic('heroku'),
  ]) {
    const { status, body } = await call('GET /account', undefined, { authorization })
    assert.equal(status, 200, authorization)
    assert.equal(body.email, 'dev@example.com')
  }
})

test('anything else is unauthorized, in words', async () => {
  const { call } = await anApi(pool)
  for (const authorization of [
    '',
    'Bearer undefined',
    'Bearer',
    'Basic eA==',
    'Digest x',
  ]) {
    const { status, body } = await call('GET /account', undefined, { authorization })
    assert.equal(status, 401, authorization)
    assert.deepEqual(body, {
      id: 'unauthorized',
      message: 'Invalid credentials provided.',
    })
  }
})

test('an expired token is unauthorized', async () => {
  const { call } = await anApi(pool)
  await pool.query(`update authorizations set expires_at = now() - interval '1 second'`)
  assert.equal((await call('GET /account')).status, 401)
})

test('every answer is JSON with a request id, errors too', async () => {
  const { call } = await anApi(pool)
  for (const [request, status] of [
    ['GET /account', 200],
    ['GET /schema', 404],
    ['GET /apps/nope', 404],
  ] as const) {
    const answer = await call(request)
    assert.equal(answer.status, status)
    assert.match(String(answer.headers['content-type']), /^application\/json/)
    assert.match(String(answer.headers['request-id']), /^[0-9a-f-]{36}$/)
    assert.match(String(answer.headers['ratelimit-remaining']), /^44\d\d$/)
  }
})

test('what has not changed is not sent again', async () => {
  const { call, server, token } = await anApi(pool)
  const { headers } = await call('GET /account')
  const etag = String(headers['etag'])
  const askAgain = (known: string) =>
    server.inject({
      url: '/account',
      headers: {
        accept: 'application/vnd.heroku+json; version=3',
        authorization: `Bearer ${token}`,
        'if-none-match': known,
      },
    })
  const same = await askAgain(`"other", ${etag}`)
  assert.deepEqual([same.statusCode, same.body], [304, ''])
  const changed = await askAgain('"other"')
  assert.equal(changed.statusCode, 200)
  assert.equal(changed.headers['etag'], etag)
})

test('a DELETE and a POST may say they are JSON and have no body', async () => {
  const { call } = await anApi(pool)
  const json = { 'content-type': 'application/json' }
  const { body: app } = await call('POST /apps', undefined, json)
  assert.equal(
    (await call(`DELETE /apps/${app.name}/dynos`, undefined, json)).status,
    202,
  )
  assert.equal((await call(`DELETE /apps/${app.name}`, undefined, json)).status, 200)
})

test('a body that is no JSON, is not as it should be, or is too large is refused', async () => {
  const { server, token, call } = await anApi(pool)
  const broken = await server.inject({
    method: 'POST',
    url: '/apps',
    payload: '{"name":',
    headers: {
      accept: 'application/vnd.heroku+json; version=3',
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
    },
  })
  assert.equal(broken.statusCode, 400)
  assert.equal(broken.json<{ id: string }>().id, 'bad_request')

  const wrong = await call('POST /apps', { name: 7 })
  assert.equal(wrong.status, 422)
  assert.equal(wrong.body.id, 'invalid_params')

  const large = await call('POST /apps', { name: 'x'.repeat(2 * 1024 ** 2) })
  assert.equal(large.status, 413)
  assert.equal(large.body.id, 'payload_too_large')
})

test('a fault of ours is logged with its cause and without tokens, and tells the caller nothing', async () => {
  const logged: [unknown, Facts][] = []
  const log: Log = {
    info: () => {},
    error: (_, error, facts = {}) => void logged.push([error, facts]),
  }
  const fault = new Error('the disk is on fire', { cause: new Error('a spark') })
  const deps = { pool, log, trustedProxies: () => [] } as unknown as ApiDeps
  const server = await apiServer(deps, [
    async (it) => {
      it.get('/broken/:token', { config: { open: true } }, async () => {
        throw fault
      })
    },
  ])
  const reply = await server.inject('/broken/a-secret?login=another-secret')
  assert.equal(reply.statusCode, 500)
  assert.ok(!reply.body.includes('disk'))
  const facts = {
    request: reply.headers['request-id'],
    method: 'GET',
    route: '/broken/:token',
  }
  assert.deepEqual(logged, [[fault, facts]])
})

test('health needs no token', async () => {
  const { server } = await anApi(pool)
  const reply = await server.inject('/health')
  assert.equal(reply.statusCode, 200)
  assert.deepEqual(reply.json(), { status: 'ok' })
})
