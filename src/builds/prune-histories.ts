/** Forgets what apps' histories have more than is kept: else one account fills the database's disk. */

import type { Pool } from 'pg'

import { type Clock, later } from '../lib/clock.ts'
import { KEPT_HISTORY, type KeptHistory } from '../model/kept-history.ts'
import { lockApp } from '../store/apps.ts'
import {
  appsWithLongHistories,
  forgetBuildsBeyond,
  forgetDynosBeyond,
  forgetEventsBeyond,
  forgetOutputsBeyond,
  forgetReleasesBeyond,
  forgetWebhookEventsBeyond,
  forgetWhatOneOffsWereGiven,
} from '../store/histories.ts'
import { inTransaction } from '../store/queryable.ts'

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
  await forgetWhatOneOffsWereGiven(pool, region)
  const now = clock.now()
  for (const app of await appsWithLongHistories(pool, region, kept)) {
    await inTransaction(pool, async (tx) => {
      if (!(await lockApp(tx, app))) return
      const before = later(now, -kept.dynosDownFor)
      // In this order: what is gone refers to nothing any more.
      await forgetDynosBeyond(tx, app, { most: kept.dynosDown, before })
      await forgetBuildsBeyond(tx, app, kept.builds)
      await forgetReleasesBeyond(tx, app, kept.releases)
    })
  }
  await forgetOutputsBeyond(pool, region, {
    most: kept.outputs,
    bytes: kept.outputBytes,
    since: later(now, -kept.outputsFor),
  })
  await forgetEventsBeyond(pool, region, kept.events)
  await forgetWebhookEventsBeyond(pool, region, kept.webhookEvents)
}
