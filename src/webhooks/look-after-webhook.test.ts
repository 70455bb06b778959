/** A look over a real database and a real receiver. */

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, suite, test } from 'node:test'

import { anApp, secrets } from '../../test/an-app.ts'
import { aWebhook, SIGNING_SECRET } from '../../test/a-webhook.ts'
import { aDatabase } from '../../test/postgres.ts'
import { HOUR, later, MINUTE, SECOND } from '../lib/clock.ts'
import type { App } from '../model/app.ts'
import type { Reach } from '../model/reach.ts'
import { type Payload, PLATFORM, type Webhook } from '../model/webhook.ts'
import { type AppDelivery, deliveriesOf } from '../store/app-webhook-deliveries.ts'
import { publish } from '../store/publish.ts'
import { deleteWebhook } from '../store/webhooks.ts'
import { lookAfterWebhook } from './look-after-webhook.ts'

interface Received {
  readonly headers: IncomingMessage['headers']
  readonly text: string
  readonly body: Payload & {
    readonly webhook_metadata: Record<
      'attempt' | 'delivery' | 'event' | 'webhook',
      { readonly id: string; readonly include?: string }
    >
  }
}

const pool = aDatabase()
const received: Received[] = []
let now = new Date('2026-01-01T00:00:00Z')
let reach: Reach = { own: [], allowed: ['127.0.0.0/8', '::1'] }
let answer: (response: ServerResponse) => void
let url = ''
let app: App

const receiver = createServer((request, response) => {
  void (async () => {
    const text = Buffer.concat(await request.toArray()).toString()
    const body = JSON.parse(text) as Received['body']
    received.push({ headers: request.headers, text, body })
    answer(response)
  })()
})

async function happens(...its: number[]): Promise<void> {
  const common = {
    app: app.id,
    include: 'dyno',
    action: 'update',
    actor: PLATFORM,
  } as const
  await publish(
    pool,
    its.map((it) => ({ ...common, at: now, data: { it } })),
  )
}

function look(
  webhook: Webhook,
  signal = new AbortController().signal,
  patience = MINUTE,
): Promise<number> {
  const clock = { now: () => now }
  const deps = { pool, secrets, clock, reach: () => reach, patience }
  return lookAfterWebhook(deps)(webhook.id, signal)
}

/** Looks until there is nothing to do for now; returns when there is. */
async function settle(webhook: Webhook): Promise<number> {
  for (;;) {
    const delay = await look(webhook)
    if (delay > 0) return delay
  }
}

async function deliveries(): Promise<AppDelivery[]> {
  const part = { from: undefined, to: undefined, descending: false, most: 1000 }
  return deliveriesOf(pool, app.id, { ...part, status: undefined })
}

async function statuses(): Promise<string[]> {
  return (await deliveries()).map((it) => it.status)
}

function numbersTold(): number[] {
  return received.map((it) => (it.body.data as { it: number }).it)
}

function answerWith(status: number, headers = {}) {
  return (response: ServerResponse) =>
    response.writeHead(status, headers).end('x'.repeat(1e6))
}

suite('look after a webhook', () => {
  before(async () => {
    receiver.listen(0, '127.0.0.1')
    await once(receiver, 'listening')
    url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook?a=b`
  })
  after(() => {
    receiver.close()
    receiver.closeAllConnections()
  })
  beforeEach(async () => {
    received.length = 0
    answer = answerWith(200)
    now = new Date('2026-01-01T00:00:00Z')
    reach = { own: [], allowed: ['127.0.0.0/8', '::1'] }
    app = (await anApp(pool)).app
  })

  test('what happened is told once, signed', async () => {
    const webhook = await aWebhook(pool, { app: app.id, url })
    await happens(1)
    assert.equal(await settle(webhook), Infinity)
    assert.equal(await settle(webhook), Infinity)

    const [delivery] = await deliveries()
    const [it] = received
    assert.ok(it && delivery && received.length === 1)
    assert.equal(it.headers['authorization'], 'Bearer me')
    assert.equal(it.headers['content-type'], 'application/json')
    assert.equal(it.headers['user-agent'], 'mayfly-webhooks')
    const signature = createHmac('sha256', SIGNING_SECRET)
      .update(it.text)
      .digest('base64')
    assert.equal(it.headers['heroku-webhook-hmac-sha256'], signature)
    assert.deepEqual(it.body.webhook_metadata, {
      attempt: { id: delivery.attempt },
      delivery: { id: delivery.id },
      event: { id: it.body.id, include: 'dyno' },
      webhook: { id: webhook.id },
    })
    assert.deepEqual(
      [
        delivery.status,
        delivery.numAttempts,
        delivery.attemptStatus,
        delivery.attemptCode,
      ],
      ['succeeded', 1, 'succeeded', 200],
    )
  })

  test('who is only notified is told once, whatever comes of it', async () => {
    const webhook = await aWebhook(pool, { app: app.id, url })
    answer = answerWith(500)
    await happens(1, 2, 3)
    assert.equal(await settle(webhook), Infinity)
    assert.deepEqual(new Set(numbersTold()), new Set([1, 2, 3]))
    assert.deepEqual(await statuses(), ['failed', 'failed', 'failed'])
    assert.equal((await deliveries())[0]?.attemptCode, 500)
  })

  test('in sync, nothing is told before what came first has been', async () => {
    const webhook = await aWebhook(pool, { app: app.id, url, level: 'sync' })
    answer = answerWith(503)
    await happens(1, 2)
    const delay = await settle(webhook)
    assert.ok(delay > 0 && delay <= 6 * SECOND, `${delay}`)
    assert.deepEqual(await statuses(), ['retrying', 'pending'])

    await happens(3)
    assert.ok((await settle(webhook)) <= delay)
    assert.deepEqual(numbersTold(), [1])

    answer = answerWith(204)
    now = later(now, delay)
    assert.equal(await settle(webhook), Infinity)
    assert.deepEqual(numbersTold(), [1, 1, 2, 3])
    assert.deepEqual(await statuses(), ['succeeded', 'succeeded', 'succeeded'])
    const [first, second] = received.map((it) => it.body.webhook_metadata)
    assert.equal(first?.delivery.id, second?.delivery.id)
    assert.notEqual(first?.attempt.id, second?.attempt.id)
  })

  test('after three days nobody tries any more', async () => {
    const webhook = await aWebhook(pool, { app: app.id, url, level: 'sync' })
    answer = answerWith(404)
    await happens(1)
    const begun = now
    for (;;) {
      const delay = await settle(webhook)
      if (delay === Infinity) break
      now = later(now, delay)
    }
    assert.deepEqual(await statuses(), ['failed'])
    assert.ok(now.getTime() - begun.getTime() > 70 * HOUR)
    assert.equal((await deliveries())[0]?.numAttempts, received.length)
  })

  test('a redirect is an answer like any other', async () => {
    const webhook = await aWebhook(pool, { app: app.id, url })
    answer = answerWith(307, { location: url })
    await happens(1)
    await settle(webhook)
    assert.equal(received.length, 1)
    assert.deepEqual(
      [(await deliveries())[0]?.attemptCode, await statuses()],
      [307, ['failed']],
    )
  })

  test('who never answers is given up', async () => {
    const webhook = await aWebhook(pool, { app: app.id, url })
    answer = () => {}
    await happens(1)
    await look(webhook, undefined, SECOND / 4)
    assert.equal((await deliveries())[0]?.attemptError, 'TimeoutError')
  })

  for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '0x7f.1']) {
    test(`nothing goes to ${host} unless it is allowed`, async () => {
      const there = url.replace('127.0.0.1', host)
      const webhook = await aWebhook(pool, { app: app.id, url: there })
      reach = { own: [], allowed: ['::1'] }
      await happens(1)
      await settle(webhook)
      assert.equal(received.length, 0)
      const [delivery] = await deliveries()
      // That name may stand for ::1 too, where nobody listens.
      const error = delivery?.attemptError ?? ''
      assert.match(error, host === 'localhost' ? /Forbidden|REFUSED/ : /Forbidden/)
    })
  }

  test('an attempt that we did not live to see the end of is made again', async () => {
    const webhook = await aWebhook(pool, { app: app.id, url })
    const killed = new AbortController()
    answer = () => killed.abort(new Error('killed'))
    await happens(1)
    await assert.rejects(look(webhook, killed.signal), /killed/)
    const [cut] = await deliveries()
    assert.deepEqual([cut?.status, cut?.attemptStatus], ['scheduled', 'scheduled'])

    answer = answerWith(200)
    assert.equal(await settle(webhook), Infinity)
    const [delivery] = await deliveries()
    assert.deepEqual([delivery?.status, delivery?.numAttempts], ['succeeded', 2])
    assert.deepEqual(
      received.map((it) => it.body.webhook_metadata.delivery.id),
      [delivery?.id, delivery?.id],
    )
    const { rows } = await pool.query(
      `select status, error_class from webhook_attempts where delivery = $1 order by status`,
      [delivery?.id],
    )
    assert.deepEqual(rows, [
      { status: 'failed', error_class: 'Interrupted' },
      { status: 'succeeded', error_class: null },
    ])
  })

  test('a webhook that was removed is told no more', async () => {
    const webhook = await aWebhook(pool, { app: app.id, url })
    await happens(1)
    await deleteWebhook(pool, webhook.id)
    assert.equal(await look(webhook), Infinity)
    assert.equal(received.length, 0)
  })
})
