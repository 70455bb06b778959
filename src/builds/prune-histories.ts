/** Forgets what apps' histories have more than is kept: else one account fills the database's disk. */

import type { Pool } from 'pg'

import { type Clock, later } from '../lib/clock.ts'
import type { AppId } from '../model/ids.ts'
import { KEPT_HISTORY, type KeptHistory } from '../model/kept-history.ts'
import { lockApp } from '../store/apps.ts'
import {
  appsWithLongHistories,
  FORGOTTEN_UNDER_LOCK,
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

export async function pruneHistories({
  pool,
  region,
  clock,
  kept = KEPT_HISTORY,
}: HistoryPruning): Promise<void> {
  const now = clock.now()
  for (const app of await appsWithLongHistories(pool, region, kept)) {
    // In this order: what is gone refers to nothing any more.
    for (const forget of [
      (tx: Queryable) => forgetBuildsBeyond(tx, app, kept.builds),
      (tx: Queryable) => forgetReleasesBeyond(tx, app, kept.releases),
    ]) {
      while ((await forgotten(forget, app)) === FORGOTTEN_UNDER_LOCK);
    }
  }
  await forgetOutputsBeyond(pool, region, {
    most: kept.outputs,
    bytes: kept.outputBytes,
    since: later(now, -kept.outputsFor),
  })
  await forgetEventsBeyond(pool, region, kept.events)
  await forgetWebhookEventsBeyond(pool, region, kept.webhookEvents)

  function forgotten(forget: (tx: Queryable) => Promise<number>, app: AppId) {
    return inTransaction(pool, async (tx) => ((await lockApp(tx, app)) ? forget(tx) : 0))
  }
}
