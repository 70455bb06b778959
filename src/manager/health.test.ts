/** Health checks, as the manager heeds what they found. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aManagedApp } from '../../test/a-managed-app.ts'
import type { AnApp } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import type { Health } from './facts.ts'

const pool = aDatabase()

const check = { path: '/health', interval: 10_000, timeout: 5_000, grace: 0, failures: 3 }
const well: Health = { well: true, everWell: true, failures: 0, fault: '' }
const sick: Health = {
  well: false,
  everWell: true,
  failures: 3,
  fault: 'it answered 503',
}

async function askHealth(it: AnApp): Promise<void> {
  await pool.query('update slugs set healthchecks = $2 where app = $1', [
    it.app.id,
    { web: check },
  ])
}

test('a web dyno with a health check is up when it answers well', async () => {
  const { it, settle, health } = await aManagedApp(pool)
  await it.deploy()
  await askHealth(it)
  const [dyno] = await settle()
  assert.equal(dyno?.state, 'starting')
  health.set(dyno.id, well)
  assert.equal((await settle())[0]?.state, 'up')
})

test('an unhealthy web dyno is replaced, and the log says why', async () => {
  const { it, settle, health } = await aManagedApp(pool)
  await it.deploy()
  const [before] = await settle()
  assert.ok(before)
  await askHealth(it)
  health.set(before.id, sick)
  const [old, successor] = await settle()
  assert.deepEqual([old?.id, old?.state, old?.leaving], [before.id, 'up', true])
  assert.ok(successor)
  health.set(successor.id, well)
  const [after, ...others] = await settle()
  assert.deepEqual([after?.id, after?.state, others], [successor.id, 'up', []])
  assert.deepEqual((await it.told()).slice(2, 5), [
    'web.1 Health check at /health failed 3 times in a row: it answered 503',
    'web.1 Restarting',
    'web.1 State changed from up to starting',
  ])
})
