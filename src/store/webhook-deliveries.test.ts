import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApp } from '../../test/an-app.ts'
import { aWebhook } from '../../test/a-webhook.ts'
import { aDatabase } from '../../test/postgres.ts'
import { later, SECOND } from '../lib/clock.ts'
import { newId } from '../model/ids.ts'
import { type AttemptId, PLATFORM } from '../model/webhook.ts'
import { deliveriesOf } from './app-webhook-deliveries.ts'
import { publish } from './publish.ts'
import { beginAttempt, endAttempt, openDeliveries } from './webhook-deliveries.ts'

const pool = aDatabase()
const now = new Date('2026-01-01T00:00:00Z')

function ended(attempt: AttemptId, code: number) {
  const succeeded = code === 200
  const nextAttemptAt = succeeded ? null : later(now, SECOND)
  return endAttempt(pool, { attempt, succeeded, code, error: null, nextAttemptAt, now })
}

test('an attempt that was given up says nothing any more', async () => {
  const { app } = await anApp(pool)
  const webhook = await aWebhook(pool, { app: app.id, level: 'sync' })
  const common = { app: app.id, at: now, actor: PLATFORM, data: {} }
  await publish(pool, [{ ...common, include: 'dyno', action: 'update' }])
  const [delivery] = await openDeliveries(pool, webhook.id, 1)
  assert.ok(delivery)
  const [slow, next] = [newId<'webhook attempt'>(), newId<'webhook attempt'>()]
  await beginAttempt(pool, delivery.id, { attempt: slow, now })
  await beginAttempt(pool, delivery.id, { attempt: next, now: later(now, SECOND) })
  await ended(next, 200)
  await ended(slow, 500)

  const part = { from: undefined, to: undefined, descending: false, most: 10 }
  const all = await deliveriesOf(pool, app.id, { ...part, status: undefined })
  assert.deepEqual(
    all.map((it) => [it.status, it.numAttempts, it.attempt, it.attemptCode]),
    [['succeeded', 2, next, 200]],
  )
  const { rows } = await pool.query(
    'select code, error_class from webhook_attempts where id = $1',
    [slow],
  )
  assert.deepEqual(rows, [{ code: null, error_class: 'Interrupted' }])
})
