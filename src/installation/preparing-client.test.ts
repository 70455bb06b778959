import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import type { Pool, PoolClient } from 'pg'

import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { openPool, preparing, withoutWaiting } from './database.ts'
import type { PreparingClient } from './preparing-client.ts'

/** What pg keeps for itself, and is to lose in its version 9. */
const QUEUE = '_queryQueue'

const others = aDatabase()
let pool: Pool
before(() => {
  const database = others.options.database ?? ''
  pool = openPool(withoutWaiting(preparing({ database })), 1)
})
after(() => pool.end())

test('a statement with parameters is planned once for each connection', async () => {
  for (const n of [1, 2, 3]) {
    const { rows } = await pool.query('select $1::integer + 1 as next', [n])
    assert.deepEqual(rows, [{ next: n + 1 }])
  }
  assert.equal(await generic('select $1::integer + 1 as next'), 3)
})

test('plans are forgotten before what is asked, with nothing in pg`s queue', async () => {
  const text = 'select $1::integer + 2 as next'
  const client = (await pool.connect()) as PoolClient &
    PreparingClient &
    Record<typeof QUEUE, unknown[]>
  try {
    for (const n of [1, 2]) {
      client.plannedAt = -Infinity
      const asked = client.query(text, [n])
      assert.ok(client.plannedAt > 0)
      assert.equal(client[QUEUE].length, 0)
      assert.deepEqual((await asked).rows, [{ next: n + 2 }])
    }
    client.plannedAt = -Infinity
    await assert.rejects(client.query(text, ['x']), { code: '22P02' })
    client.plannedAt = -Infinity
  } finally {
    client.release()
  }
  // As the pool asks: with a callback.
  assert.deepEqual((await pool.query(text, [3])).rows, [{ next: 5 }])
})

test('one that failed can be asked again, in a transaction too', async () => {
  const half = (n: number) => pool.query('select 1 / $1::integer as half', [n])
  await assert.rejects(half(0), { code: '22012' })
  const client = await pool.connect()
  await client.query('begin')
  await assert.rejects(client.query('select 1 / $1::integer as half', [0]))
  await client.query('rollback')
  client.release()
  assert.deepEqual((await half(1)).rows, [{ half: 1 }])
})

test('a connection that was lost is followed by one that knows nothing, and serves', async () => {
  const { rows } = await pool.query('select pg_backend_pid() as pid')
  await others.query('select pg_terminate_backend($1, 10000)', [rows[0].pid])
  await until('the pool has heard of it', () => pool.totalCount === 0)
  assert.deepEqual((await pool.query('select $1::integer + 1 as next', [1])).rows, [
    { next: 2 },
  ])
})

test('where a proxy may stand between, nothing is prepared', () => {
  const config = { connectionString: 'postgres://proxy/mayfly' }
  assert.deepEqual(preparing(config), config)
})

async function generic(text: string): Promise<number> {
  const { rows } = await pool.query<{ times: string }>(
    'select generic_plans as times from pg_prepared_statements where statement = $1',
    [text],
  )
  return Number(rows[0]?.times)
}
