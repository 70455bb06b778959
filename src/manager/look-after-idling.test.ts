import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApp, type AnApp, secrets } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { later, MINUTE } from '../lib/clock.ts'
import { HEROKU_TIMINGS } from '../model/timings.ts'
import { inTransaction } from '../store/queryable.ts'
import { assignSlots } from '../store/routes.ts'
import { lookAfterIdling, type QuietFor } from './look-after-idling.ts'

const pool = aDatabase()
let app: AnApp
let now = new Date()
let quiet: number | undefined = 0

/** One look; resolves to its delay in minutes. */
async function look(): Promise<number> {
  const delay = await lookAfterIdling({
    pool,
    region: 'us',
    secrets,
    clock: { now: () => now },
    timings: () => HEROKU_TIMINGS,
    webTraffic: async (): Promise<QuietFor> => () => quiet,
  })('', AbortSignal.timeout(10_000))
  return delay / MINUTE
}

async function isAsleep(): Promise<boolean> {
  const { rows } = await pool.query<{ asleep: boolean }>(
    'select idle_since is not null as asleep from apps where id = $1',
    [app.app.id],
  )
  return rows[0]?.asleep ?? false
}

/** Who was woken since the last time. */
async function woken(): Promise<string[]> {
  const { rows } = await pool.query<{ kind: string }>('delete from work returning kind')
  return rows.map((row) => row.kind).toSorted()
}

test('an app of another size is nobody’s business', async () => {
  app = await anApp(pool)
  await app.deploy(undefined, { MAYFLY_IDLE_AFTER: '45' })
  await inTransaction(pool, (tx) => assignSlots(tx, 'us'))
  await pool.query('update releases set created_at = $1', [later(now, -60 * MINUTE)])
  quiet = 50 * MINUTE
  assert.equal(await look(), 1)
  assert.equal(await isAsleep(), false)
})

test('an Eco app falls asleep after the time it asked for, whole and once', async () => {
  await pool.query(`update formations set size = 'Eco'`)
  await woken()
  quiet = 44.5 * MINUTE
  assert.equal(await look(), 0.5)
  assert.equal(await isAsleep(), false)
  quiet = undefined
  await look()
  assert.equal(await isAsleep(), false, 'nobody knows of traffic')

  quiet = 45 * MINUTE
  await look()
  assert.equal(await isAsleep(), true)
  assert.deepEqual(await woken(), ['formation', 'formation', 'router'])
  await look()
  assert.deepEqual(await woken(), [])
})

test('a release wakes it at once', async () => {
  await app.deploy(undefined, { MAYFLY_IDLE_AFTER: '45' })
  assert.equal(await isAsleep(), false)
  await pool.query('update apps set idle_since = now()')
  await woken()
})

test('it wakes when it may not sleep any more, and for as long as after a request', async () => {
  await pool.query(`update formations set quantity = 0 where type = 'web'`)
  now = later(now, MINUTE)
  await look()
  assert.equal(await isAsleep(), false)
  assert.deepEqual(await woken(), ['formation', 'formation', 'router'])

  await pool.query(`update formations set quantity = 1 where type = 'web'`)
  now = later(now, 44 * MINUTE)
  assert.equal(await look(), 1)
  assert.equal(await isAsleep(), false)
})
