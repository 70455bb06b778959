import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { holdRegion } from './hold-region.ts'

const pool = aDatabase()
const lost = (): void => {}

test('a region is held by one, and by the next once that one is gone', async () => {
  const first = new AbortController()
  const second = new AbortController()

  await holdRegion(pool, 'us', { lost, signal: first.signal })

  let held = false
  const waiting = (async () => {
    await holdRegion(pool, 'us', { lost, signal: second.signal })
    held = true
  })()
  await until('the second waits for the lock', async () => {
    const { rows } = await pool.query(
      `select from pg_locks where locktype = 'advisory' and not granted
          and database = (select oid from pg_database where datname = current_database())`,
    )
    return rows.length === 1
  })
  assert.equal(held, false)

  first.abort()
  await waiting
  assert.equal(held, true)
  second.abort()
})
