/** Forgets what apps' histories have more than is kept: else one account fills the database's disk. */

import type { Pool } from 'pg'

import { type Clock, later } from '../lib/clock.ts'
import type { AppId } from '../model/ids.ts'
import { KEPT_HISTORY, type KeptHistory } from '../model/kept-history.ts'
import { lockApp } from '../store/apps.ts'
import {
  appsWithLongHistories,
  forgetBuildsBeyond,
  forgetEventsBeyond,
  forgetOutputsBeyond,
  forgetReleasesBeyond,
  forgetWebhookEventsBeyond,
} from '../store/histories.ts'
import { inTransaction, type Queryable } from '../store/queryable.ts'

export interface HistoryPruning {
  readonly pool: Pool
  readonly region: string
  readonly clock: Clock
  readonly kept?: KeptHistory
}

/** What cannot be cut keeps nothing else from being; it throws then, an AggregateError. */
export async function pruneHistories({
  pool,
  region,
  clock,
  kept = KEPT_HISTORY,
}: HistoryPruning): Promise<void> {
  const since = later(clock.now(), -kept.outputsFor)
  const outputs = { most: kept.outputs, bytes: kept.outputBytes, since }
  const apps = await appsWithLongHistories(pool, region, kept)
  const steps = [
    // In this order: what is gone refers to nothing any more.
    ...apps.map((app) => async () => {
      await allOf(() => locked(app, (tx) => forgetBuildsBeyond(tx, app, kept.builds)))
      await allOf(() => locked(app, (tx) => forgetReleasesBeyond(tx, app, kept.releases)))
    }),
    () => allOf(() => forgetOutputsBeyond(pool, region, outputs)),
    () => allOf(() => forgetEventsBeyond(pool, region, kept.events)),
    () => allOf(() => forgetWebhookEventsBeyond(pool, region, kept.webhookEvents)),
  ]
  const faults: unknown[] = []
  for (const step of steps) {
    await step().catch((error: unknown) => faults.push(error))
  }
  if (faults.length > 0) throw new AggregateError(faults, 'some could not be cut')

  function locked(app: AppId, forget: (tx: Queryable) => Promise<number>) {
    return inTransaction(pool, async (tx) => ((await lockApp(tx, app)) ? forget(tx) : 0))
  }
}

/** Again for as long as something goes: a statement forgets but so much. */
export async function allOf(forget: () => Promise<number>): Promise<void> {
  while ((await forget()) > 0);
}
