import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApp, secrets } from '../../test/an-app.ts'
import { aWebhook } from '../../test/a-webhook.ts'
import { aDatabase } from '../../test/postgres.ts'
import { HOUR, later, SECOND } from '../lib/clock.ts'
import { PLATFORM } from '../model/webhook.ts'
import { publish } from '../store/publish.ts'
import { lookAfterWebhook } from './look-after-webhook.ts'

const pool = aDatabase()
const reach = () => ({ own: [], allowed: ['127.0.0.0/8'] })

test('what failed is sent again, though the clock is set back meanwhile', async () => {
  let now = new Date('2026-01-01T00:00:00Z')
  const clock = { now: () => now }
  const look = lookAfterWebhook({ pool, secrets, clock, reach, patience: SECOND })
  const { app } = await anApp(pool)
  // Nobody listens there.
  const { id } = await aWebhook(pool, { app: app.id, level: 'sync' })
  const its = { app: app.id, include: 'dyno', action: 'update', actor: PLATFORM } as const
  await publish(pool, [{ ...its, at: now, data: {} }])
  const { signal } = new AbortController()
  assert.equal(await look(id, signal), 0)
  assert.ok((await look(id, signal)) > 0)
  assert.equal(await attempts(), 1)
  now = later(now, -2 * HOUR)
  assert.equal(await look(id, signal), 0)
  assert.equal(await attempts(), 2)
})

async function attempts(): Promise<number> {
  const { rows } = await pool.query('select from webhook_attempts')
  return rows.length
}
