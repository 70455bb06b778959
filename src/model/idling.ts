/**
 * When an app falls asleep, and when it wakes without being asked for (Heroku's article "Eco
 * Dyno Hours"). An app sleeps as a whole: its web dynos have no traffic, and its workers sleep
 * with them. One that only has workers never sleeps, for nothing would wake it.
 */

export interface SleepyApp {
  /** How many web dynos are wanted. */
  readonly web: number
  /** Its web dynos are of Eco size: those sleep in any case. */
  readonly eco: boolean
  /** The feature is on. */
  readonly idling: boolean
  /** Requests get a page, and wake nobody. */
  readonly maintenance: boolean
  /** Milliseconds without web traffic. */
  readonly idleAfter: number
  /** Null: it is awake. */
  readonly idleSince: Date | null
  /** When it was last woken, or seen to have traffic: that is noted once a minute. */
  readonly webTrafficAt: Date | null
  /** When its current release was made: that is a reason to be awake, too. */
  readonly releasedAt: Date
  /** When the router last had a request for it. */
  readonly askedAt: Date
}

export function decideIdling(app: SleepyApp, now: Date): 'sleep' | 'wake' | undefined {
  const { idleSince, releasedAt } = app
  if (!idleSince) return untilAsleep(app, now) <= 0 ? 'sleep' : undefined
  return !mayRest(app) || releasedAt > idleSince ? 'wake' : undefined
}

/** Milliseconds until an app that is awake falls asleep if nobody asks for it; Infinity: never. */
export function untilAsleep(app: SleepyApp, now: Date): number {
  if (!mayRest(app)) return Infinity
  const { askedAt, webTrafficAt, releasedAt, idleAfter } = app
  const times = [askedAt, releasedAt, ...(webTrafficAt ? [webTrafficAt] : [])]
  return Math.max(...times.map((it) => it.getTime())) + idleAfter - now.getTime()
}

function mayRest({ web, eco, idling, maintenance }: SleepyApp): boolean {
  return web > 0 && (eco || idling) && !maintenance
}
