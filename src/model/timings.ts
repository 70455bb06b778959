import { MINUTE, SECOND } from '../lib/clock.ts'

/** How long the dyno manager waits for what, in milliseconds. */
export interface Timings {
  /** From a web dyno's start until its port is bound: R10. */
  readonly bootTimeout: number
  /** From SIGTERM to SIGKILL: R12. */
  readonly stopGrace: number
  /** From leaving the router to SIGTERM, if requests are still under way then. */
  readonly drainTimeout: number
}

export const HEROKU_TIMINGS: Timings = {
  bootTimeout: MINUTE,
  stopGrace: 30 * SECOND,
  drainTimeout: 30 * SECOND,
}
