/**
 * Scales the web dynos of the apps that asked for it, by what `logs` has counted of their
 * requests. Where that is not known up to now, nothing is changed.
 */

import type { Pool } from 'pg'

import { autoscaleWeb } from '../actions/autoscale-web.ts'
import { type Clock, HOUR, later, MINUTE, SECOND } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { decideScale, type PastMinute } from '../model/autoscaling.ts'
import type { AppId } from '../model/ids.ts'
import type { Limits } from '../model/limits.ts'
import { liesAhead } from '../model/noted-times.ts'
import { Problem } from '../model/problem.ts'
import { servedIn, servicePercentile, together } from '../model/router-measures.ts'
import { autoscaledApps } from '../store/monitors.ts'
import { noteScalingAnew } from '../store/noted-times.ts'
import { inTransaction } from '../store/queryable.ts'
import {
  countedTime,
  type KeptMeasures,
  routerMeasures,
} from '../store/router-measures.ts'
import type { Look } from '../work/loop.ts'

interface AutoscalingDeps {
  readonly pool: Pool
  /** The region's name. */
  readonly region: string
  /** The one by which requests are counted. */
  readonly clock: Clock
  readonly limits: () => Limits
  readonly log: Log
}

const EVERY = 20 * SECOND

/** The look for work kind `autoscaling`; its subject is the region's id. */
export function lookAfterAutoscaling(deps: AutoscalingDeps): Look {
  const { pool, region, clock, limits, log } = deps
  return async () => {
    const apps = await autoscaledApps(pool, region)
    if (apps.length === 0) return MINUTE
    const counted = await countedTime(pool)
    const now = clock.now()
    const early = apps.filter((it) => liesAhead(now, [it.changedAt]))
    if (early.length > 0) {
      await noteScalingAnew(
        pool,
        early.map((it) => it.app),
        now,
      )
      return 0
    }
    const past = await pastOf(apps.map((it) => it.app))
    for (const it of apps) {
      const { app, quantity } = it
      const decision = decideScale({ ...it, counted, past: past.get(app) ?? [] }, now)
      if (!decision) continue
      const step = { app, from: quantity, decision }
      await inTransaction(pool, (tx) => autoscaleWeb(tx, step, limits())).catch(
        (error: unknown) => {
          // Whoever runs Mayfly has lowered a limit, or the app got another size, since then.
          if (!(error instanceof Problem)) throw error
          log.info('an app is not scaled', { app, why: error.message })
        },
      )
    }
    return EVERY
  }

  async function pastOf(
    apps: readonly AppId[],
  ): Promise<ReadonlyMap<AppId, PastMinute[]>> {
    const to = clock.now()
    const kept = await routerMeasures(pool, apps, {
      from: later(to, -HOUR),
      to,
      minutes: true,
    })
    const byApp = Map.groupBy(kept, (it) => it.app)
    return new Map([...byApp].map(([app, its]) => [app, minutesOf(its)]))
  }
}

/** Several processes may have counted parts of a minute. */
function minutesOf(kept: readonly KeptMeasures[]): PastMinute[] {
  return [...Map.groupBy(kept, (it) => it.at.getTime())].map(([at, parts]) => {
    const whole = together(parts)
    return {
      at: new Date(at),
      requests: servedIn(whole),
      p95: servicePercentile(whole, 0.95),
      dynos: Math.min(...parts.map((it) => it.dynos)),
    }
  })
}
