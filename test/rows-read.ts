/** How much a statement reads, where it must not grow with what is kept. */

import { inTransaction, type Database, type Queryable } from '../src/store/queryable.ts'

interface Plan {
  /** Of a node that reads a table. */
  readonly 'Relation Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly 'Rows Removed by Index Recheck'?: number
  readonly Plans?: readonly Plan[]
}

/**
 * Rows of tables that the statements of `act` read, as planned for whatever values, those that they did not want among
 * them. They find nothing.
 */
export async function rowsRead(
  database: Database,
  act: (db: Queryable) => Promise<unknown>,
): Promise<number> {
  const read = (plan: Plan): number => {
    const { 'Relation Name': table, 'Actual Loops': loops, Plans: below = [] } = plan
    const unwanted =
      (plan['Rows Removed by Filter'] ?? 0) + (plan['Rows Removed by Index Recheck'] ?? 0)
    const own = table === undefined ? 0 : loops * (plan['Actual Rows'] + unwanted)
    return below.reduce((rows, it) => rows + read(it), own)
  }
  return (await plansOf(database, act)).reduce((rows, plan) => rows + read(plan), 0)
}

async function plansOf(
  database: Database,
  act: (db: Queryable) => Promise<unknown>,
): Promise<Plan[]> {
  const plans: Plan[] = []
  await inTransaction(database, async (tx) => {
    await tx.query('set local plan_cache_mode = force_generic_plan')
    await act({
      async query(text, values) {
        const { rows } = await tx.query(`explain (analyze, format json) ${text}`, values)
        const [row] = rows as { 'QUERY PLAN': readonly [{ readonly Plan: Plan }] }[]
        const plan = row?.['QUERY PLAN'][0].Plan
        if (!plan) throw new Error('a statement has a plan')
        plans.push(plan)
        return { rows: [] }
      },
    })
  })
  return plans
}
