/**
 * How many web dynos an app should have (Heroku's article "Scaling Your Dyno Formation"): the fewest that keep the p95
 * of its response time within what it asked for, judged by what the past hour has shown.
 *
 * More are asked for when the p95 is too high; fewer when they would do. Whether a count would
 * do is known where the past hour has seen as many requests for a dyno: well or not. A load
 * that once was too much is not tried again for an hour, so that a steady load settles. Where
 * nothing is known, the p95 is taken to grow as the load does.
 */

import { later, MINUTE, SECOND } from '../lib/clock.ts'
import { liesAhead } from './noted-times.ts'

export interface Autoscaling {
  readonly min: number
  readonly max: number
  /** Milliseconds. */
  readonly p95: number
}

/** A minute of the past. */
export interface PastMinute {
  readonly at: Date
  /** Those that the p95 is of: neither websockets nor what reached no dyno. */
  readonly requests: number
  /** Milliseconds; undefined where nothing was served. */
  readonly p95: number | undefined
  /** The fewest web dynos that were up. */
  readonly dynos: number
}

export interface Autoscaled {
  readonly wanted: Autoscaling
  /** Web dynos that are wanted now. */
  readonly quantity: number
  /** Those of them that are up. */
  readonly up: number
  /** One waits for room on the machine. */
  readonly waits: boolean
  readonly asleep: boolean
  readonly maintenance: boolean
  /** When the quantity was last changed, by whomever. */
  readonly changedAt: Date
  /** Since when, and until when, all requests have been counted without a gap. */
  readonly counted: { readonly since: Date; readonly until: Date } | undefined
  /** Of the past hour, in their order; minutes without requests may be missing. */
  readonly past: readonly PastMinute[]
}

export interface ScaleDecision {
  readonly quantity: number
  /** For people. */
  readonly because: string
}

const STEP_EVERY = MINUTE
const DOWN_EVERY = 5 * MINUTE
/** Fewer dynos must do for the most requests that any minute of this time had. */
const CALM = 10 * MINUTE
/** More dynos are asked for by what was seen in this time. */
const RECENT = 2 * MINUTE
/** A percentile of fewer says little. */
const ENOUGH_REQUESTS = 20
/** Loads this near to each other are the same. */
const ALIKE = 0.9
/** Counts come every few seconds; without them nothing is known of the present. */
const STALE = 30 * SECOND

/** Undefined: it stays as it is. */
export function decideScale(it: Autoscaled, now: Date): ScaleDecision | undefined {
  const { wanted, quantity } = it
  if (quantity === 0 || it.asleep || it.maintenance) return undefined
  const within = Math.min(wanted.max, Math.max(wanted.min, quantity))
  if (within !== quantity) {
    return { quantity: within, because: `${wanted.min} to ${wanted.max} dynos` }
  }
  if (it.up < quantity || !isFresh(it, now) || isWithin(STEP_EVERY, it.changedAt, now)) {
    return undefined
  }
  return stepUp(it, now) ?? stepDown(it, now)
}

function stepUp(it: Autoscaled, now: Date): ScaleDecision | undefined {
  const { wanted, quantity } = it
  if (quantity >= wanted.max || it.waits) return undefined
  // Minutes that began after the last step, with all dynos there: those before tell of fewer.
  const seen = it.past.filter(
    ({ at, dynos }) =>
      at >= it.changedAt && at > later(now, -RECENT) && dynos >= quantity,
  )
  const worst = Math.max(...seen.filter(isTelling).map(({ p95 = 0 }) => p95))
  if (!(worst > wanted.p95)) return undefined
  return { quantity: quantity + 1, because: `p95 ${ms(worst)} above ${ms(wanted.p95)}` }
}

function stepDown(it: Autoscaled, now: Date): ScaleDecision | undefined {
  const { wanted, quantity, counted } = it
  const fewer = quantity - 1
  const calm = later(now, -CALM)
  if (fewer < wanted.min || isWithin(DOWN_EVERY, it.changedAt, now)) return undefined
  if (!counted || counted.since > calm) return undefined
  const lately = it.past.filter(({ at }) => at > calm)
  const most = Math.max(0, ...lately.map(({ requests }) => requests))
  const worst = Math.max(0, ...lately.map(({ p95 = 0 }) => p95))
  if (!keeps(it, most / fewer, (worst * quantity) / fewer)) return undefined
  return { quantity: fewer, because: `p95 within ${ms(wanted.p95)}` }
}

/** Whether so many requests for a dyno in a minute are well. `guess`: the p95 they may have. */
function keeps({ past, wanted }: Autoscaled, load: number, guess: number): boolean {
  const telling = past.filter((it) => isTelling(it) && it.dynos > 0)
  const tooMuch = telling.some(
    (it) => (it.p95 ?? 0) > wanted.p95 && load >= ALIKE * loadOf(it),
  )
  if (tooMuch) return false
  return telling.some((it) => loadOf(it) >= load) || guess <= wanted.p95
}

function loadOf({ requests, dynos }: PastMinute): number {
  return requests / dynos
}

function isTelling({ requests, p95 }: PastMinute): boolean {
  return requests >= ENOUGH_REQUESTS && p95 !== undefined
}

/** Where the clock was set back, what had been counted by then tells nothing of now. */
function isFresh({ counted }: Autoscaled, now: Date): boolean {
  if (!counted || liesAhead(now, [counted.until])) return false
  return isWithin(STALE, counted.until, now)
}

function isWithin(duration: number, since: Date, now: Date): boolean {
  return now < later(since, duration)
}

function ms(milliseconds: number): string {
  return `${Math.round(milliseconds)}ms`
}

export const DEFAULT_P95 = 1000

/** `2-10`, `2-10 p95=500`: as MAYFLY_AUTOSCALE has it. Undefined: it can't be understood. */
export function parseAutoscaling(text: string): Autoscaling | undefined {
  const [, min, max, p95] = /^(\d{1,4})-(\d{1,4})(?: p95=(\d{1,6}))?$/.exec(text) ?? []
  const wanted = { min: Number(min), max: Number(max), p95: Number(p95 ?? DEFAULT_P95) }
  return faultOfAutoscaling(wanted) === undefined ? wanted : undefined
}

/** What is wrong with it, in a sentence; undefined if nothing is. */
export function faultOfAutoscaling({ min, max, p95 }: Autoscaling): string | undefined {
  if (!(min >= 1)) return 'Autoscaling needs at least 1 dyno (min_quantity).'
  if (!(max >= min)) return 'max_quantity must not be less than min_quantity.'
  if (!(p95 >= 1)) return 'The desired p95 (value) must be at least 1 millisecond.'
  return undefined
}
