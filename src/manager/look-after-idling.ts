/**
 * Sends apps to sleep that nobody asks for, and wakes those that have lost their reason to
 * sleep. Those asked for in their sleep are woken elsewhere, at once (heed-wake-calls.ts).
 *
 * HAProxy knows when what an app was last asked for began, and whether it is under way, but not when
 * it ended: that is remembered here, and noted once a minute for who looks after a restart. Where HAProxy cannot
 * say, an app counts as asked for just now.
 */

import type { Pool } from 'pg'

import { idleApp } from '../actions/idle-app.ts'
import { wakeApp } from '../actions/wake-app.ts'
import { type Clock, earliest, later, latest, MINUTE, SECOND } from '../lib/clock.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import { enabledFeatures } from '../model/app-features.ts'
import { dynoPolicy } from '../model/dyno-policy.ts'
import { decideIdling, type SleepyApp, untilAsleep } from '../model/idling.ts'
import type { AppId } from '../model/ids.ts'
import { liesAhead } from '../model/noted-times.ts'
import type { ConfigVars } from '../model/release.ts'
import type { Timings } from '../model/timings.ts'
import { noteWebTraffic, sleepyApps, type SleepyAppRow } from '../store/idling.ts'
import { inTransaction } from '../store/queryable.ts'
import type { Look } from '../work/loop.ts'

/**
 * Milliseconds since what the app in this slot of the router was last asked for began: 0 while a
 * request or a websocket is under way, undefined where nobody knows.
 */
export type QuietFor = (slot: number) => number | undefined

interface IdlingDeps {
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

/** What a look saw of an app's traffic. */
interface Seen {
  /** It may have gone on until then. */
  readonly at: Date
  readonly isUnderWay: boolean
}

/** The look for work kind `idling`; its subject is the region's id. */
export function lookAfterIdling(deps: IdlingDeps): Look {
  const { pool, region, clock } = deps
  /** By the last look, of the apps that were awake. */
  let seen: ReadonlyMap<AppId, Seen> = new Map()
  let lookedAt: Date | undefined

  return async (_region, signal) => {
    const rows = await sleepyApps(pool, region)
    if (rows.length === 0) return EVERY
    const quietFor = await deps.webTraffic(signal)
    const now = clock.now()
    const sinceLast = now.getTime() - (lookedAt ?? now).getTime()
    const apps = rows.map((row): Sleeper => {
      const quiet = row.slot === null ? undefined : quietFor(row.slot)
      const its = seenNow(row, { quiet, before: seen.get(row.id), sinceLast, now })
      return { ...row, ...policyOf(row, deps), seen: its, askedAt: its?.at ?? now }
    })
    seen = new Map(apps.flatMap((app) => (app.seen ? [[app.id, app.seen]] : [])))
    lookedAt = now
    await noteWebTraffic(
      pool,
      apps.filter((app) => isToBeNoted(app, now)).map(({ id }) => id),
      now,
    )
    for (const app of apps) await carryOut(app, { now, pool, region })
    return untilNext(apps, now)
  }
}

interface Sleeper extends SleepyApp {
  readonly id: AppId
  /** Undefined: it sleeps, or nobody knows. */
  readonly seen: Seen | undefined
}

/**
 * What is under way at a look may go on until the next, and what began since the last may have
 * ended only now.
 */
function seenNow(
  { idleSince, webTrafficAt }: SleepyAppRow,
  it: {
    readonly quiet: number | undefined
    readonly before: Seen | undefined
    /** Milliseconds since the last look; 0: there was none. */
    readonly sinceLast: number
    readonly now: Date
  },
): Seen | undefined {
  const { quiet, before, sinceLast, now } = it
  if (idleSince || quiet === undefined) return undefined
  const isUnderWay = quiet === 0
  const wentOn =
    isUnderWay ||
    before?.isUnderWay ||
    quiet <= sinceLast ||
    (webTrafficAt && liesAhead(now, [webTrafficAt]))
  if (wentOn) return { at: now, isUnderWay }
  const at = latest(later(now, -quiet), before ? earliest(before.at, now) : null)
  return { at, isUnderWay }
}

function isToBeNoted({ seen, webTrafficAt }: Sleeper, now: Date): boolean {
  const noted = webTrafficAt?.getTime() ?? 0
  return seen?.at === now && Math.abs(now.getTime() - noted) >= EVERY
}

function policyOf(
  row: SleepyAppRow,
  { secrets, timings }: IdlingDeps,
): Pick<SleepyApp, 'idling' | 'idleAfter'> {
  const vars = JSON.parse(secrets.open(row.configVars, row.id)) as ConfigVars
  return dynoPolicy(vars, enabledFeatures(row.switches), timings())
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
