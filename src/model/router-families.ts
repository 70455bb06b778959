/** What the router's requests are for Prometheus: counters of each app since `logs` started. */

import { middleOf } from './latency-histogram.ts'
import type { Family, Sample } from './prometheus.ts'
import {
  bucketsIn,
  classesIn,
  codesIn,
  layout,
  type Measures,
} from './router-measures.ts'

/** Seconds; Prometheus' own custom, and Heroku's 30 seconds. */
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

export interface AppMeasures {
  /** Its name. */
  readonly app: string
  readonly measures: Measures
}

export function routerFamilies(apps: readonly AppMeasures[]): Family[] {
  return [
    {
      name: 'mayfly_requests_total',
      help: 'Requests by the class of their answer, none: nothing was answered.',
      type: 'counter',
      samples: apps.flatMap(requestSamples),
    },
    {
      name: 'mayfly_router_errors_total',
      help: 'Requests that ended with an H code.',
      type: 'counter',
      samples: apps.flatMap(({ app, measures }) =>
        codesIn(measures).map(([code, value]) => ({ labels: { app, code }, value })),
      ),
    },
    {
      name: 'mayfly_service_seconds',
      help: 'From the connection to the dyno to the end of its answer, without websockets.',
      type: 'histogram',
      samples: apps.flatMap((it) =>
        histogram(it, 'SERVICE', it.measures.serviceTotal / 1000),
      ),
    },
    {
      name: 'mayfly_connect_seconds',
      help: 'Until a dyno took the connection.',
      type: 'histogram',
      samples: apps.flatMap((it) => histogram(it, 'CONNECT')),
    },
    {
      name: 'mayfly_queue_seconds',
      help: 'From the first byte of the request until there was a dyno to connect to.',
      type: 'histogram',
      samples: apps.flatMap((it) => histogram(it, 'QUEUE')),
    },
  ]
}

function requestSamples({ app, measures }: AppMeasures): Sample[] {
  const classes = classesIn(measures).map((value, nth): Sample => ({
    labels: { app, class: `${nth + 1}xx` },
    value,
  }))
  const none = {
    labels: { app, class: 'none' },
    value: measures.counts[layout.STATUS] ?? 0,
  }
  return [...classes, none]
}

/** What lies in a bucket counts as its middle. */
function histogram(
  { app, measures }: AppMeasures,
  of: 'SERVICE' | 'CONNECT' | 'QUEUE',
  exactSum?: number,
): Sample[] {
  const buckets = [...bucketsIn(measures, of)]
  const count = buckets.reduce((sum, it) => sum + it, 0)
  const middles = buckets.map((_, bucket) => middleOf(bucket) / 1000)
  const within = BOUNDS.map((bound): Sample => ({
    suffix: '_bucket',
    labels: { app, le: String(bound) },
    value: buckets.reduce(
      (sum, it, nth) => ((middles[nth] ?? 0) <= bound ? sum + it : sum),
      0,
    ),
  }))
  const sum =
    exactSum ?? buckets.reduce((total, it, nth) => total + it * (middles[nth] ?? 0), 0)
  return [
    ...within,
    { suffix: '_bucket', labels: { app, le: '+Inf' }, value: count },
    { suffix: '_sum', labels: { app }, value: sum },
    { suffix: '_count', labels: { app }, value: count },
  ]
}

/** Gauges: so that a glance needs no query. */
export function recentFamily(
  apps: readonly {
    readonly app: string
    readonly quantiles: Readonly<Record<string, number | undefined>>
  }[],
): Family {
  return {
    name: 'mayfly_recent_service_seconds',
    help: 'Quantiles of the service time in the past five minutes; 1: the longest.',
    type: 'gauge',
    samples: apps.flatMap(({ app, quantiles }) =>
      Object.entries(quantiles).flatMap(([quantile, value]) =>
        value === undefined ? [] : [{ labels: { app, quantile }, value: value / 1000 }],
      ),
    ),
  }
}
