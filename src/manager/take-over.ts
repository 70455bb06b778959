/**
 * What a manager does first, whoever was there before it: everything of its region wants a
 * look. Nothing is changed by that alone; dynos that run as they should are left running.
 */

import type { Pool } from 'pg'

import { formationsOf } from '../store/formations.ts'
import { oneOffsOf } from '../store/one-offs.ts'
import { inTransaction } from '../store/queryable.ts'
import type { Region } from '../store/regions.ts'
import { forgetLeases, wake } from '../store/work.ts'

export async function takeOver(pool: Pool, { id, name }: Region): Promise<void> {
  await inTransaction(pool, async (tx) => {
    await forgetLeases(tx, name)
    await wake(tx, { kind: 'router', subject: id, region: name })
    await wake(tx, { kind: 'sweep', subject: id, region: name })
  })
  await wakeDynos(pool, name)
}

/** All who look after dynos. */
export async function wakeDynos(pool: Pool, region: string): Promise<void> {
  for (const subject of await formationsOf(pool, region)) {
    await wake(pool, { kind: 'formation', subject, region })
  }
  for (const subject of await oneOffsOf(pool, region)) {
    await wake(pool, { kind: 'one-off', subject, region })
  }
}
