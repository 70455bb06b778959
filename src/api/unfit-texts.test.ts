/** No text of a request has U+0000 or half a character: neither has room in the database, or in a process. */

import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'

import { type AnApi, anApi } from '../../test/an-api.ts'
import { anApp } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { findAudit } from '../store/audit.ts'

const pool = aDatabase()
let call: AnApi['call']
let app = ''
beforeEach(async () => {
  ;({ call } = await anApi(pool))
  const made = await anApp(pool)
  await made.deploy({ web: 'node index.js' }, {})
  app = made.app.name
})

const source_blob = { url: 'https://example.com/app.tgz' }
const webhook = { include: ['dyno'], level: 'notify', url: 'https://example.com/' }
const bodies: readonly [request: string, body: (unfit: string) => object][] = [
  ['POST /apps', (name) => ({ name })],
  ['PATCH /apps/:app', (name) => ({ name })],
  ['PATCH /apps/:app/config-vars', (A) => ({ A })],
  ['PATCH /apps/:app/config-vars', (name) => ({ [name]: 'A' })],
  ['POST /apps/:app/builds', (version) => ({ source_blob: { ...source_blob, version } })],
  ['POST /apps/:app/builds', (url) => ({ source_blob, buildpacks: [{ url }] })],
  ['POST /apps/:app/builds', (name) => ({ source_blob, buildpacks: [{ name }] })],
  ['PUT /apps/:app/buildpack-installations', (it) => ({ updates: [{ buildpack: it }] })],
  ['PATCH /apps/:app/formation', (type) => ({ updates: [{ type, quantity: 1 }] })],
  ['POST /apps/:app/dynos', (command) => ({ command })],
  ['POST /apps/:app/dynos', (A) => ({ command: 'bash', env: { A } })],
  ['POST /apps/:app/dynos/web.1', (command) => ({ command })],
  ['POST /apps/:app/domains', (hostname) => ({ hostname, sni_endpoint: null })],
  ['POST /apps/:app/webhooks', (secret) => ({ ...webhook, secret })],
  ['POST /apps/:app/collaborators', (user) => ({ user })],
  ['POST /apps/:app/sni-endpoints', (it) => ({ certificate_chain: it, private_key: it })],
  ['POST /apps/:app/log-sessions', (dyno) => ({ dyno })],
  ['POST /oauth/authorizations', (description) => ({ description })],
  ['PATCH /account', (name) => ({ name, password: 'x' })],
]
for (const [request, body] of bodies) {
  test(`${request} of ${JSON.stringify(body('…'))} has no such text`, async () => {
    for (const unfit of ['a\0b', 'a\ud800', '\udfff']) {
      const { status, body: answer } = await call(
        request.replace(':app', app),
        body(unfit),
      )
      assert.deepEqual([status, answer.id], [422, 'invalid_params'], answer.message)
      assert.match(answer.message ?? '', /U\+0000/)
    }
  })
}

test('what only looks like it is a text as any other', async () => {
  const A = String.raw`\u0000 \ud800 😀`
  const { status } = await call(`PATCH /apps/${app}/config-vars`, { A })
  assert.equal(status, 200)
  const { body } = await call(`GET /apps/${app}/config-vars`)
  assert.equal(body['A'], A)
})

test('however deep and many the texts are', async () => {
  const deep = `${'['.repeat(400_000)}"\\u0000"${']'.repeat(400_000)}`
  const many = `[${'"",'.repeat(300_000)}"\\u0000"]`
  for (const payload of [deep, many]) {
    const answer = await call(`PATCH /apps/${app}/config-vars`, payload as never, {
      'content-type': 'application/json',
    })
    assert.equal(answer.status, 422)
  }
})

test('one in a path is refused, and who tried is in the audit log', async () => {
  for (const [path, id] of [
    ['/apps/a%00b', 'invalid_params'],
    [`/apps/${app}/domains/a%00b`, 'not_found'],
  ] as const) {
    const { status, body } = await call(`DELETE ${path}`)
    assert.equal(body.id, id)
    assert.ok(status < 500)
  }
  const [last] = await findAudit(pool, { app: undefined, most: 1 })
  assert.deepEqual(last?.nouns, { app, domain: 'a\ufffdb' })
})
