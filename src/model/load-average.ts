/**
 * A dyno's load as Heroku counts it (its article "Log Runtime Metrics"): exponentially damped averages of
 * how many of its tasks run or want to. Unlike Linux's, those that wait for a disk do not count.
 */

import { MINUTE } from '../lib/clock.ts'

const PERIODS = { one: MINUTE, five: 5 * MINUTE, fifteen: 15 * MINUTE }

export interface LoadAverage {
  /** When it was sampled last. */
  readonly at: Date
  readonly one: number
  readonly five: number
  readonly fifteen: number
}

/** `before`: undefined for the first sample, which is all there is to go by. */
export function loadAverage(
  before: LoadAverage | undefined,
  runnable: number,
  at: Date,
): LoadAverage {
  const passed = before ? Math.max(0, at.getTime() - before.at.getTime()) : Infinity
  const damped = (was: number | undefined, period: number) => {
    const kept = Math.exp(-passed / period)
    return (1 - kept) * runnable + (kept === 0 ? 0 : kept * (was ?? 0))
  }
  return {
    at,
    one: damped(before?.one, PERIODS.one),
    five: damped(before?.five, PERIODS.five),
    fifteen: damped(before?.fifteen, PERIODS.fifteen),
  }
}
