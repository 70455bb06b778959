import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { type AnApi, anApi, type Json } from '../../../test/an-api.ts'
import { anApp, secrets } from '../../../test/an-app.ts'
import { aDatabase } from '../../../test/postgres.ts'
import { INCLUDES, PLATFORM, type WebhookId } from '../../model/webhook.ts'
import { publish } from '../../store/publish.ts'
import { findRecipient } from '../../store/webhook-deliveries.ts'

const pool = aDatabase()
const wish = {
  include: ['api:release', 'dyno', 'dyno'],
  level: 'notify',
  url: 'https://198.41.0.4/hook?a=b',
}

interface Delivery {
  readonly id: string
  readonly event: { readonly id: string; readonly include: string }
}

async function start(): Promise<{ call: AnApi['call']; path: string; made: AnApp }> {
  const { call } = await anApi(pool)
  const made = await anApp(pool)
  return { call, path: `/apps/${made.app.name}/webhooks`, made }
}
type AnApp = Awaited<ReturnType<typeof anApp>>

async function opened(id: string) {
  const recipient = await findRecipient(pool, id as WebhookId)
  assert.ok(recipient)
  const { authorization } = recipient
  return {
    secret: secrets.open(recipient.secret, id),
    authorization: authorization && secrets.open(authorization, id),
  }
}

test('a webhook is made, shown, changed and removed; its secret is said once', async () => {
  const { call, path, made } = await start()
  const { status, headers, body } = await call(`POST ${path}`, wish)
  assert.equal(status, 201)
  const id = String(body.id)
  assert.deepEqual(body, {
    app: { id: made.app.id, name: made.app.name },
    created_at: body.created_at,
    id,
    include: ['api:release', 'dyno'],
    level: 'notify',
    updated_at: body.created_at,
    url: wish.url,
  })
  const secret = String(headers['heroku-webhook-secret'])
  assert.match(secret, /^[0-9a-f]{60}$/)
  assert.deepEqual(await opened(id), { secret, authorization: null })
  const { rows } = await pool.query('select secret from webhooks where id = $1', [id])
  assert.ok(!(rows as { secret: Buffer }[])[0]?.secret.includes(secret))

  const shown = await call(`GET ${path}/${id}`)
  assert.deepEqual(shown.body, body)
  assert.equal(shown.headers['heroku-webhook-secret'], undefined)
  assert.deepEqual((await call(`GET ${path}`)).body, [body])

  const changes = { level: 'sync', secret: 'mine', authorization: 'Bearer x' }
  const changed = await call(`PATCH ${path}/${id}`, changes)
  assert.equal(changed.body.level, 'sync')
  assert.deepEqual(changed.body.include, body.include)
  assert.deepEqual(await opened(id), { secret: 'mine', authorization: 'Bearer x' })
  await call(`PATCH ${path}/${id}`, { authorization: null })
  assert.deepEqual(await opened(id), { secret: 'mine', authorization: null })

  assert.equal((await call(`DELETE ${path}/${id}`)).status, 200)
  assert.equal((await call(`GET ${path}/${id}`)).status, 404)
  assert.equal((await call(`DELETE ${path}/${id}`)).status, 404)
})

const refused: [string, object, RegExp][] = [
  ['an unknown include', { include: ['api:release', 'api:addon'] }, /"api:addon"/],
  ['no include', { include: [] }, /include is empty/],
  ['another level', { level: 'loud' }, /level/],
  ['another protocol', { url: 'ftp://198.41.0.4/' }, /http or https/],
  ['no URL', { url: 'example.com' }, /http or https/],
  ['a password in the URL', { url: 'https://a:b@198.41.0.4/' }, /authorization/],
  ['this machine', { url: 'http://127.0.0.1:5080/' }, /127\.0\.0\.1.*webhooks\.json/],
  ['this machine by another name', { url: 'http://localhost/' }, /no public network/],
  ['this machine by number', { url: 'http://2130706433/' }, /127\.0\.0\.1/],
  ['this machine in IPv6', { url: 'http://[::1]/' }, /::1/],
  ['a metadata service', { url: 'http://169.254.169.254/latest' }, /169\.254/],
  ['a private network', { url: 'http://10.1.2.3/' }, /10\.1\.2\.3/],
  ['a secret that is no header', { secret: 'ü\n' }, /secret/],
  ['two headers in one', { authorization: 'a\r\nb: c' }, /authorization/],
]
for (const [what, changes, message] of refused) {
  test(`${what} is refused`, async () => {
    const { call, path } = await start()
    const made = await call(`POST ${path}`, { ...wish, ...changes })
    assert.equal(made.status, 422)
    assert.match(String(made.body.message), message)

    const { body } = await call(`POST ${path}`, wish)
    assert.equal((await call(`PATCH ${path}/${body.id}`, changes)).status, 422)
    assert.deepEqual((await call(`GET ${path}/${body.id}`)).body, body)
  })
}

test('there are ten at most, also when all come at once', async () => {
  const { call, path } = await start()
  const answers = await Promise.all(
    Array.from({ length: 12 }, () => call(`POST ${path}`, wish)),
  )
  const statuses = answers.map((it) => it.status).toSorted((a, b) => a - b)
  assert.deepEqual(statuses, [...Array<number>(10).fill(201), 422, 422])
})

test('deliveries and events are shown, the newest first when asked so', async () => {
  const { call, path, made } = await start()
  const { body: webhook } = await call(`POST ${path}`, wish)
  const other = await start()
  const at = new Date('2026-01-01T00:00:00Z')
  const common = { app: made.app.id, at, actor: PLATFORM, action: 'update' } as const
  await publish(pool, [
    { ...common, include: 'dyno', data: { it: 1 } },
    { ...common, include: 'api:release', data: { it: 2 }, previousData: { it: 1 } },
  ])

  const list = `/apps/${made.app.name}/webhook-deliveries`
  const range = 'seq ..; order=desc,max=1'
  const first = await call(`GET ${list}`, undefined, { range })
  assert.equal(first.status, 206)
  const [newest] = first.body as unknown as Delivery[]
  assert.ok(newest)
  const event = newest.event.id
  const next = { range: String(first.headers['next-range']) }
  const rest = await call(`GET ${list}`, undefined, next)
  assert.equal(rest.status, 200)
  const all = [newest, ...(rest.body as unknown as Delivery[])]
  assert.deepEqual(
    all.map((it) => it.event.include),
    ['api:release', 'dyno'],
  )
  assert.deepEqual(newest, {
    created_at: at.toISOString(),
    event: { id: event, include: 'api:release' },
    id: newest.id,
    last_attempt: null,
    next_attempt_at: null,
    num_attempts: 0,
    status: 'pending',
    updated_at: at.toISOString(),
    webhook: { id: webhook.id, level: 'notify' },
  })
  assert.deepEqual((await call(`GET ${list}/${newest.id}`)).body, newest)
  const failed = await call(`GET ${list}?eq[status]=failed`)
  assert.deepEqual(failed.body, [])
  const pending = await call(`GET ${list}?eq%5Bstatus%5D=pending`)
  assert.equal((pending.body as unknown as Json[]).length, 2)

  const events = `/apps/${made.app.name}/webhook-events`
  const { body } = await call(`GET ${events}/${event}`)
  assert.deepEqual(body, {
    created_at: at.toISOString(),
    id: event,
    include: 'api:release',
    payload: {
      action: 'update',
      actor: PLATFORM,
      data: { it: 2 },
      previous_data: { it: 1 },
      published_at: at.toISOString(),
      resource: 'release',
      version: 'application/vnd.heroku+json; version=3',
    },
    updated_at: at.toISOString(),
  })
  const listed = (await call(`GET ${events}`)).body as unknown as Json[]
  assert.deepEqual(listed[1], body)

  // Nobody else's.
  const theirs = `/apps/${other.made.app.name}`
  for (const it of [`deliveries/${newest.id}`, `events/${event}`]) {
    assert.equal((await other.call(`GET ${theirs}/webhook-${it}`)).status, 404)
  }
  assert.equal((await call(`GET ${theirs}/webhooks/${webhook.id}`)).status, 404)
})

test('docs/api/webhooks.md lists everything that can be heard of', () => {
  const file = join(import.meta.dirname, '../../../docs/api/webhooks.md')
  const rows = readFileSync(file, 'utf8').matchAll(/^\| `([\w:]+)` +\|/gm)
  assert.deepEqual(
    [...rows].map(([, include]) => include),
    INCLUDES,
  )
})
