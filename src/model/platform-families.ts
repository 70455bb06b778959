/** What the platform tells Prometheus of dynos. */

import type { Family } from './prometheus.ts'

interface Counted {
  readonly app: string
  readonly count: number
}

export interface DynoFigures {
  readonly dynos: readonly (Counted & { readonly type: string; readonly state: string })[]
  readonly wanted: readonly (Counted & { readonly type: string; readonly size: string })[]
  readonly stops: readonly (Counted & { readonly type: string; readonly cause: string })[]
  readonly memory: readonly {
    readonly app: string
    readonly dyno: string
    readonly used: number
    readonly quota: number
  }[]
}

export function platformFamilies({
  dynos,
  wanted,
  stops,
  memory,
}: DynoFigures): Family[] {
  return [
    {
      name: 'mayfly_dynos',
      help: 'Dynos that hold a place, by state.',
      type: 'gauge',
      samples: dynos.map(({ count, ...labels }) => ({ labels, value: count })),
    },
    {
      name: 'mayfly_dynos_wanted',
      help: 'Dynos as the formation wants them.',
      type: 'gauge',
      samples: wanted.map(({ count, ...labels }) => ({ labels, value: count })),
    },
    {
      name: 'mayfly_dyno_stops_past_hour',
      help: 'How often dynos stopped or crashed in the past hour, by cause.',
      type: 'gauge',
      samples: stops.map(({ count, ...labels }) => ({ labels, value: count })),
    },
    {
      name: 'mayfly_dyno_memory_bytes',
      help: 'Memory in use, as R14 counts it.',
      type: 'gauge',
      samples: memory.map(({ app, dyno, used }) => ({
        labels: { app, dyno },
        value: used,
      })),
    },
    {
      name: 'mayfly_dyno_memory_quota_bytes',
      help: 'Memory that the size of the dyno has.',
      type: 'gauge',
      samples: memory.map(({ app, dyno, quota }) => ({
        labels: { app, dyno },
        value: quota,
      })),
    },
  ]
}
