import type { Pool } from 'pg'

import { inTransaction, type Queryable } from '../src/store/queryable.ts'
import { until } from './until.ts'

/**
 * Does both, and commits the first once the second waits for it: what came of the second, which
 * began on what was true before the first.
 */
export async function oneAfterTheOther<T>(
  pool: Pool,
  first: (tx: Queryable) => Promise<unknown>,
  second: (tx: Queryable) => Promise<T>,
): Promise<PromiseSettledResult<T>> {
  const ends = await inTransaction(pool, async (tx) => {
    await first(tx)
    const waiting = Promise.allSettled([inTransaction(pool, second)])
    await until('the second waits', async () => (await waiters(pool)) > 0)
    return { waiting }
  })
  const [end] = await ends.waiting
  return end
}

async function waiters(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ n: number }>(
    `select count(*)::int as n from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`,
  )
  return rows[0]?.n ?? 0
}
