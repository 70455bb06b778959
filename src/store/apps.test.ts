import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApp } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { putFeature } from './app-features.ts'
import { lockApp } from './apps.ts'
import { inTransaction } from './queryable.ts'

const pool = aDatabase()

test('what belongs to an app can be added while a wish about it is written down', async () => {
  const { app } = await anApp(pool)
  await inTransaction(pool, async (tx) => {
    assert.ok(await lockApp(tx, app.id))
    await inTransaction(pool, async (other) => {
      await other.query(`set local lock_timeout = '1s'`)
      await putFeature(other, app.id, { name: 'preboot', enabled: true })
    })
  })
})

test('but a second wish about it waits', async () => {
  const { app } = await anApp(pool)
  await inTransaction(pool, async (tx) => {
    await lockApp(tx, app.id)
    const second = inTransaction(pool, async (other) => {
      await other.query(`set local lock_timeout = '10ms'`)
      return lockApp(other, app.id)
    })
    await assert.rejects(second, { code: '55P03' })
  })
})
