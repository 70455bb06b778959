/**
 * Finds what nobody was told of: processes that ended unheard, containers without a live
 * row, as a database restored from a backup leaves behind, and rows of dynos long down
 * and of what happened long ago.
 */

import type { Pool } from 'pg'

import { type Clock, DAY, HOUR, later, SECOND } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { forgetWebhookEventsBefore } from '../store/app-webhook-deliveries.ts'
import { forgetAuditBefore } from '../store/audit.ts'
import { allInUse, forgetDynosDownSince, forgetSurplusDynos } from '../store/dynos.ts'
import { forgetEventsBefore } from '../store/events.ts'
import { forgetResting, wakeAll } from '../store/work.ts'
import type { Look } from '../work/loop.ts'

interface SweepDeps {
  readonly pool: Pool
  readonly runtime: Runtime
  readonly region: string
  readonly clock: Clock
  readonly log: Log
}

const EVERY = 15 * SECOND
const KEPT = 30 * DAY
/** Of an app whose dynos end by the thousand; but `logs` may be behind with them. */
const SURPLUS = { kept: 1_000, keptFor: 6 * HOUR }
const AUDIT_KEPT = 90 * DAY

/** The look for work kind `sweep`; its subject is the region's id. */
export function sweep({ pool, runtime, region, clock, log }: SweepDeps): Look {
  return async (_region, signal) => {
    // Containers first: a row always precedes its container, so none of these is too new to have one.
    const there = await runtime.list(signal)
    const inUse = await allInUse(pool, region)
    const known = new Set<string>(inUse.map(({ id }) => id))
    for (const id of there.filter((it) => !known.has(it))) {
      log.info('removing a container that nobody knows', { dyno: id })
      await runtime.remove(id, signal)
    }

    const up = inUse.filter((it) => it.up)
    const statuses = await runtime.status(
      up.map(({ id }) => id),
      signal,
    )
    const ended = up.filter(({ id }) => {
      const status = statuses.get(id)
      return status?.is !== 'running' || status.monitored === false
    })
    await wakeAll(
      pool,
      ended.map(({ keeper }) => ({ ...keeper, region })),
    )

    await forgetResting(pool, region)
    const now = clock.now()
    const long = later(now, -KEPT)
    await forgetDynosDownSince(pool, region, long)
    const { kept, keptFor } = SURPLUS
    await forgetSurplusDynos(pool, region, { kept, before: later(now, -keptFor) })
    await forgetEventsBefore(pool, long)
    await forgetWebhookEventsBefore(pool, long)
    await forgetAuditBefore(pool, later(now, -AUDIT_KEPT))
    return EVERY
  }
}
