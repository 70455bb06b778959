/** How much a statement reads, where it must not grow with what is kept. */

import { inTransaction, type Database, type Queryable } from '../src/store/queryable.ts'

interface Plan {
  readonly 'Shared Hit Blocks': number
  readonly 'Shared Read Blocks': number
}

/** Pages of 8 kB that the statements of `act` read, as planned for whatever values. They find nothing. */
export async function pagesRead(
  database: Database,
  act: (db: Queryable) => Promise<unknown>,
): Promise<number> {
  let pages = 0
  await inTransaction(database, async (tx) => {
    await tx.query('set local plan_cache_mode = force_generic_plan')
    await act({
      async query(text, values) {
        const { rows } = await tx.query(
          `explain (analyze, buffers, format json) ${text}`,
          values,
        )
        const [row] = rows as { 'QUERY PLAN': readonly [{ readonly Plan: Plan }] }[]
        const plan = row?.['QUERY PLAN'][0].Plan
        if (!plan) throw new Error('a statement has a plan')
        pages += plan['Shared Hit Blocks'] + plan['Shared Read Blocks']
        return { rows: [] }
      },
    })
  })
  return pages
}
