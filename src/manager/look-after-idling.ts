/**
 * Sends apps to sleep that nobody asks for, and wakes those that have lost their reason to
 * sleep. Those asked for in their sleep are woken elsewhere, at once (heed-wake-calls.ts).
 *
 * When an app was last asked for is known to HAProxy and nobody else: it is not written
 * down. Where HAProxy cannot say, an app counts as asked for just now.
 */

import type { Pool } from 'pg'

import { idleApp } from '../actions/idle-app.ts'
import { wakeApp } from '../actions/wake-app.ts'
import { type Clock, later, MINUTE, SECOND } from '../lib/clock.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import { enabledFeatures } from '../model/app-features.ts'
import { dynoPolicy } from '../model/dyno-policy.ts'
import { decideIdling, type SleepyApp, untilAsleep } from '../model/idling.ts'
import type { AppId } from '../model/ids.ts'
import type { ConfigVars } from '../model/release.ts'
import type { Timings } from '../model/timings.ts'
import { sleepyApps, type SleepyAppRow } from '../store/idling.ts'
import { inTransaction } from '../store/queryable.ts'
import type { Look } from '../work/loop.ts'

/**
 * Milliseconds since the app in this slot of the router was last asked for: 0 while a
 * request or a websocket is under way, undefined where nobody knows.
 */
export type QuietFor = (slot: number) => number | undefined

export interface IdlingDeps {
  readonly pool: Pool
  /** The region's name. */
  readonly region: string
  readonly secrets: SecretBox
  readonly clock: Clock
  readonly timings: () => Timings
  /** Asks the router. */
  readonly webTraffic: (signal: AbortSignal) => Promise<QuietFor>
}

const EVERY = MINUTE

/** The look for work kind `idling`; its subject is the region's id. */
export function lookAfterIdling(deps: IdlingDeps): Look {
  const { pool, region, clock } = deps
  return async (_region, signal) => {
    const rows = await sleepyApps(pool, region)
    if (rows.length === 0) return EVERY
    const quietFor = await deps.webTraffic(signal)
    const now = clock.now()
    const apps = rows.map((row) => withTraffic(row, { quietFor, now, deps }))
    for (const app of apps) await carryOut(app, { now, pool, region })
    return untilNext(apps, now)
  }
}

interface Sleeper extends SleepyApp {
  readonly id: AppId
}

function withTraffic(
  row: SleepyAppRow,
  { quietFor, now, deps }: { quietFor: QuietFor; now: Date; deps: IdlingDeps },
): Sleeper {
  const vars = JSON.parse(deps.secrets.open(row.configVars, row.id)) as ConfigVars
  const features = enabledFeatures(row.switches)
  const { idling, idleAfter } = dynoPolicy(vars, features, deps.timings())
  const quiet = row.slot === null ? undefined : quietFor(row.slot)
  return { ...row, idling, idleAfter, askedAt: later(now, -(quiet ?? 0)) }
}

async function carryOut(
  app: Sleeper,
  { now, pool, region }: { now: Date; pool: Pool; region: string },
): Promise<void> {
  switch (decideIdling(app, now)) {
    case 'sleep':
      await inTransaction(pool, (tx) => idleApp(tx, { id: app.id, region }, now))
      return
    case 'wake':
      await inTransaction(pool, (tx) => wakeApp(tx, app.id, now))
      return
    case undefined:
  }
}

/** When the first of those that are awake may fall asleep, or a minute if that is sooner. */
function untilNext(apps: readonly Sleeper[], now: Date): number {
  const ahead = apps.filter((app) => !app.idleSince).map((app) => untilAsleep(app, now))
  return Math.max(SECOND, Math.min(EVERY, ...ahead))
}
