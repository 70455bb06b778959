import { MINUTE, SECOND } from '../lib/clock.ts'

/**
 * How long the dyno manager waits for what, in milliseconds, where an app does not say
 * otherwise (dyno-policy.ts).
 */
export interface Timings {
  /** From a web dyno's start until its port is bound: R10. */
  readonly bootTimeout: number
  /** From SIGTERM to SIGKILL: R12. */
  readonly stopGrace: number
  /** From leaving the router to SIGTERM, if requests are still under way then. */
  readonly drainTimeout: number
  /** Without web traffic, until an app that idles falls asleep. */
  readonly idleAfter: number
  /** With preboot: from a release until its dynos take the traffic, beyond the boot time-out. */
  readonly prebootSwitch: number
  /** With preboot: how long a dyno that is replaced for any other reason goes on beside its successor. */
  readonly prebootOverlap: number
  /** For an attached one-off's client to come: R13. */
  readonly attachTimeout: number
}

export const HEROKU_TIMINGS: Timings = {
  bootTimeout: MINUTE,
  stopGrace: 30 * SECOND,
  drainTimeout: 30 * SECOND,
  idleAfter: 30 * MINUTE,
  prebootSwitch: 2 * MINUTE,
  prebootOverlap: 5 * MINUTE,
  attachTimeout: 30 * SECOND,
}
