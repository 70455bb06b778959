import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApp } from '../../test/an-app.ts'
import { aWebhook } from '../../test/a-webhook.ts'
import { aDatabase } from '../../test/postgres.ts'
import { type AppEvent, appEvent } from '../model/event.ts'
import { type AppId, newId } from '../model/ids.ts'
import { type Include, type Payload, PLATFORM } from '../model/webhook.ts'
import { forgetWebhookEventsBefore } from './app-webhook-deliveries.ts'
import { addDynos } from './dynos.ts'
import { writeEvents } from './events.ts'
import { publish } from './publish.ts'
import { type Queryable, inTransaction } from './queryable.ts'

const pool = aDatabase()
const at = new Date('2026-01-01T00:00:00Z')

function happening(app: AppId, include: Include, data = {}) {
  return { app, at, include, action: 'update', actor: PLATFORM, data } as const
}

async function told(webhook: string) {
  const { rows } = await pool.query<{ include: string; payload: Payload }>(
    `select e.include, e.payload from webhook_deliveries d
       join webhook_events e on e.id = d.event where d.webhook = $1 order by d.seq`,
    [webhook],
  )
  return rows
}

async function dataTold(webhook: string) {
  return (await told(webhook)).map((it) => it.payload.data)
}

async function count(table: string): Promise<number> {
  const { rows } = await pool.query<{ n: number }>(
    `select count(*)::int as n from ${table}`,
  )
  return rows[0]?.n ?? 0
}

test('an app without webhooks leaves nothing behind', async () => {
  const { app } = await anApp(pool)
  await publish(pool, [happening(app.id, 'api:release')])
  assert.equal(await count('webhook_events'), 0)
})

test('every webhook that hears of it gets it, in order', async () => {
  const { app } = await anApp(pool)
  const other = await anApp(pool)
  const both = await aWebhook(pool, { app: app.id, include: ['dyno', 'api:release'] })
  const one = await aWebhook(pool, { app: app.id, include: ['api:release'] })
  const none = await aWebhook(pool, { app: app.id, include: ['api:formation'] })
  const others = await aWebhook(pool, { app: other.app.id, include: ['api:release'] })
  await publish(pool, [
    happening(app.id, 'api:release', { it: 1 }),
    happening(app.id, 'dyno', { it: 2 }),
    happening(app.id, 'api:release', { it: 3 }),
  ])

  assert.deepEqual(await dataTold(both.id), [{ it: 1 }, { it: 2 }, { it: 3 }])
  assert.deepEqual(await dataTold(one.id), [{ it: 1 }, { it: 3 }])
  assert.deepEqual([await dataTold(none.id), await dataTold(others.id)], [[], []])
  assert.equal(await count('webhook_events'), 3)
})

test('what is rolled back was never told', async () => {
  const { app } = await anApp(pool)
  const webhook = await aWebhook(pool, { app: app.id })
  const failed = inTransaction(pool, async (tx) => {
    await publish(tx, [happening(app.id, 'dyno')])
    throw new Error('no')
  })
  await assert.rejects(failed, /no/)
  assert.deepEqual(await told(webhook.id), [])
})

test('what there was to tell long ago is forgotten, with its deliveries', async () => {
  const { app } = await anApp(pool)
  const webhook = await aWebhook(pool, { app: app.id })
  await publish(pool, [
    happening(app.id, 'dyno', { it: 'old' }),
    { ...happening(app.id, 'dyno', { it: 'young' }), at: new Date(at.getTime() + 1) },
  ])
  await forgetWebhookEventsBefore(pool, new Date(at.getTime() + 1))
  assert.deepEqual(await dataTold(webhook.id), [{ it: 'young' }])
})

test('a release is told of when it is made and when it is current', async () => {
  const made = await anApp(pool)
  const { app, account } = made
  const webhook = await aWebhook(pool, { app: app.id, include: ['api:release'] })
  await made.deploy()
  const rows = await told(webhook.id)
  assert.deepEqual(
    rows.map(({ payload }) => [payload.action, payload.previous_data, payload.actor]),
    [
      ['create', {}, { id: account.id, email: account.email }],
      ['update', { current: false }, { id: account.id, email: account.email }],
    ],
  )
  assert.partialDeepStrictEqual(rows[1]?.payload.data, { version: 3, current: true })
})

test('the states of a dyno are told in the words of the API', async () => {
  const made = await anApp(pool)
  const { app, account } = made
  await made.deploy()
  const release = await currentRelease(pool, app.id)
  const webhook = await aWebhook(pool, { app: app.id, include: ['dyno', 'api:dyno'] })
  const dyno = newId<'dyno'>()
  await addDynos(pool, [
    {
      id: dyno,
      app: app.id,
      formation: await made.formation('web'),
      release: release.id,
      region: 'us',
      type: 'web',
      ordinal: 1,
      size: 'Standard-1X',
      command: 'node index.js',
      port: 20_000,
      crashes: 0,
      createdAt: at,
    },
  ])
  const event = (kind: AppEvent['kind']) =>
    appEvent({ app: app.id, at, kind, dyno, ps: 'web.1', message: kind })
  await writeEvents(pool, [
    event('dyno.starting'),
    event('dyno.exited'),
    event('dyno.down'),
    appEvent({ app: app.id, at, kind: 'app.changed', message: account.email }),
  ])

  const rows = await told(webhook.id)
  assert.deepEqual(
    rows.map(({ include, payload }) => [include, payload.action, stateIn(payload)]),
    [
      ['api:dyno', 'create', 'starting'],
      ['dyno', 'create', 'starting'],
      ['dyno', 'destroy', 'down'],
    ],
  )
  assert.deepEqual(rows[1]?.payload, {
    id: rows[1]?.payload.id,
    action: 'create',
    actor: PLATFORM,
    created_at: at.toISOString(),
    data: {
      app: { id: app.id, name: app.name },
      attach_url: null,
      command: 'node index.js',
      created_at: at.toISOString(),
      exit_status: null,
      id: dyno,
      name: 'web.1',
      release: { id: release.id, version: release.version },
      size: 'Standard-1X',
      state: 'starting',
      type: 'web',
      updated_at: at.toISOString(),
    },
    previous_data: {},
    published_at: at.toISOString(),
    resource: 'dyno',
    sequence: null,
    updated_at: at.toISOString(),
    version: 'application/vnd.heroku+json; version=3',
  })
})

function stateIn({ data }: Payload): unknown {
  return (data as { state?: unknown }).state
}

async function currentRelease(db: Queryable, app: AppId) {
  const { rows } = await db.query(
    'select id, version from releases where app = $1 order by version desc limit 1',
    [app],
  )
  const [row] = rows as { id: ReturnType<typeof newId<'release'>>; version: number }[]
  if (!row) throw new Error('no release')
  return row
}

test('a long command is cut, which the API has whole', async () => {
  const { app } = await anApp(pool)
  const webhook = await aWebhook(pool, { app: app.id, include: ['dyno'] })
  const long = 'x'.repeat(998)
  const commands = ['node', `${long}xx`, `${long}xxx`, `${long}\u{1f980}x`]
  await publish(
    pool,
    commands.map((command) => ({
      ...happening(app.id, 'dyno', { command, size: 'Basic' }),
      previousData: { command },
    })),
  )
  const expected = ['node', `${long}xx`, `${long}x…`, `${long}\ufffd…`]
  assert.deepEqual(
    await dataTold(webhook.id),
    expected.map((command) => ({ command, size: 'Basic' })),
  )
  assert.deepEqual(
    (await told(webhook.id)).map((it) => it.payload.previous_data),
    expected.map((command) => ({ command })),
  )
})
