/**
 * An app's metrics as Heroku's metrics API has them (those that its dashboard asks for; it documents none): a value, or null,
 * for each step of a time.
 */

import { HOUR, MINUTE } from '../lib/clock.ts'
import {
  classesIn,
  codesIn,
  servicePercentile,
  type SparseMeasures,
  together,
} from './router-measures.ts'

export type Series = Readonly<Record<string, readonly (number | null)[]>>

export interface TimeSpan {
  /** A whole number of steps from the beginning of time. */
  readonly from: Date
  readonly to: Date
  /** Milliseconds. */
  readonly step: number
}

export const ROUTER_METRICS = ['latency', 'errors', 'status'] as const
export type RouterMetric = (typeof ROUTER_METRICS)[number]

const MOST_STEPS = 1500
/** The database reads no times far outside these years. */
const FIRST = Date.parse('0001-01-01T00:00:00Z')
const LAST = Date.parse('9999-12-31T23:59:59.999Z')

export interface AskedSpan {
  readonly start: string
  readonly end: string
  /** `1m`, `10m`, `1h`. */
  readonly step: string
}

/** The time asked for, to whole steps; or what is wrong with it, in a sentence. */
export function spanOf({ start, end, step: text }: AskedSpan): TimeSpan | string {
  const [, count, unit] = /^([1-9]\d{0,3})([mh])$/.exec(text) ?? []
  if (!count) return 'step must be a number of minutes or hours, like 1m, 10m or 1h.'
  const step = Number(count) * (unit === 'h' ? HOUR : MINUTE)
  const [from, to] = [Date.parse(start), Date.parse(end)]
  // What is no time is neither before nor after another.
  if (![from, to].every((at) => at >= FIRST && at <= LAST)) {
    return 'start_time and end_time must be times of the years 0001 to 9999, like 2026-01-01T00:00:00Z.'
  }
  if (from >= to) return 'start_time must be before end_time.'
  const span = {
    from: new Date(Math.floor(from / step) * step),
    to: new Date(Math.ceil(to / step) * step),
    step,
  }
  return stepsOf(span) > MOST_STEPS
    ? `At most ${MOST_STEPS} steps can be asked for at once: ask for a shorter time or a longer step.`
    : span
}

function stepsOf({ from, to, step }: TimeSpan): number {
  return (to.getTime() - from.getTime()) / step
}

export function routerSeries(
  metric: RouterMetric,
  kept: readonly (SparseMeasures & { readonly at: Date })[],
  span: TimeSpan,
): Series {
  const steps = byStep(kept, span).map(together)
  switch (metric) {
    case 'latency':
      return {
        'latency.ms.p50': steps.map((it) => servicePercentile(it, 0.5) ?? null),
        'latency.ms.p95': steps.map((it) => servicePercentile(it, 0.95) ?? null),
        'latency.ms.p99': steps.map((it) => servicePercentile(it, 0.99) ?? null),
        'latency.ms.max': steps.map((it) =>
          servicePercentile(it, 1) === undefined ? null : it.serviceLongest,
        ),
      }
    case 'status':
      return Object.fromEntries(
        ['1xx', '2xx', '3xx', '4xx', '5xx'].map((name, nth) => [
          `status_${name}`,
          steps.map((it) => classesIn(it)[nth] ?? 0),
        ]),
      )
    case 'errors':
      return countSeries(steps.map((it) => codesIn(it)))
  }
}

/** What happened to a process type's dynos, by R code. */
export function dynoErrorSeries(
  events: readonly {
    readonly kind: string
    readonly cause: string | null
    readonly at: Date
  }[],
  span: TimeSpan,
): Series {
  return countSeries(
    byStep(events, span).map((its) => {
      const codes = Map.groupBy(its.flatMap(codeOf), (code) => code)
      return [...codes].map(([code, all]) => [code, all.length])
    }),
  )
}

/** The kinds of events that are errors. */
export const ERROR_EVENTS = [
  'dyno.boot-timeout',
  'dyno.exit-timeout',
  'dyno.over-quota',
  'dyno.crashed',
]

function codeOf({
  kind,
  cause,
}: {
  readonly kind: string
  readonly cause: string | null
}): string[] {
  switch (kind) {
    case 'dyno.boot-timeout':
      return ['R10']
    case 'dyno.exit-timeout':
      return ['R12']
    case 'dyno.over-quota':
      return ['R14']
    case 'dyno.crashed':
      return CRASHES[cause ?? ''] ?? []
  }
  return []
}

/** A crash of the app's own doing has no code, and a boot time-out is told of already. */
const CRASHES: Readonly<Record<string, string[]>> = {
  'out of memory': ['R15'],
  checksum: ['R17'],
  'host lost': ['R99'],
  'start failed': ['R99'],
}

/** Only codes that there were; 0 in the other steps. */
function countSeries(steps: readonly (readonly [string, number])[][]): Series {
  const names = [...new Set(steps.flatMap((it) => it.map(([name]) => name)))].toSorted()
  return Object.fromEntries(
    names.map((name) => [
      name,
      steps.map((it) => it.find(([its]) => its === name)?.[1] ?? 0),
    ]),
  )
}

/** What was of a longer period stands in the step in which that begins. */
function byStep<T extends { readonly at: Date }>(
  all: readonly T[],
  span: TimeSpan,
): T[][] {
  const steps = Array.from({ length: stepsOf(span) }, (): T[] => [])
  for (const it of all) {
    steps[Math.floor((it.at.getTime() - span.from.getTime()) / span.step)]?.push(it)
  }
  return steps
}
