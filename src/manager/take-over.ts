/**
 * What a manager does first, whoever was there before it: everything of its region wants a
 * look. Nothing is changed by that alone; dynos that run as they should are left running.
 */

import type { Pool } from 'pg'

import { formationIdsOfRegion } from '../store/formations.ts'
import { oneOffsOf } from '../store/one-offs.ts'
import { inTransaction } from '../store/queryable.ts'
import type { Region } from '../store/regions.ts'
import { forgetLeases, makeDue, wakeAll } from '../store/work.ts'

export async function takeOver(pool: Pool, { id, name }: Region): Promise<void> {
  await inTransaction(pool, async (tx) => {
    await forgetLeases(tx, name)
    await makeDue(tx, name)
    await wakeAll(
      tx,
      ['router', 'sweep', 'memory', 'idling', 'autoscaling'].map((kind) => ({
        kind,
        subject: id,
        region: name,
      })),
    )
  })
  await wakeDynos(pool, name)
}

/** All who look after dynos. */
export async function wakeDynos(pool: Pool, region: string): Promise<void> {
  const [formations, oneOffs] = [
    await formationIdsOfRegion(pool, region),
    await oneOffsOf(pool, region),
  ]
  await wakeAll(pool, [
    ...formations.map((subject) => ({ kind: 'formation', subject, region })),
    ...oneOffs.map((subject) => ({ kind: 'one-off', subject, region })),
  ])
}
