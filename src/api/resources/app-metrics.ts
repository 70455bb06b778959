/**
 * Heroku's metrics of an app, which its CLI and dashboard ask for at another host:
 * docs/operating/metrics-and-autoscaling.md says how the CLI can be led here.
 */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from 'typebox'

import { MINUTE } from '../../lib/clock.ts'
import {
  dynoErrorSeries,
  ERROR_EVENTS,
  ROUTER_METRICS,
  routerSeries,
  type Series,
  spanOf,
  type TimeSpan,
} from '../../model/metric-series.ts'
import { Problem } from '../../model/problem.ts'
import { findFormation } from '../../store/app-formations.ts'
import { dynoEventsOf } from '../../store/events.ts'
import { routerMeasures } from '../../store/router-measures.ts'
import type { ApiDeps } from '../deps.ts'
import { requireApp } from '../require-app.ts'

const RouterParams = Type.Object({
  app: Type.String(),
  metric: Type.Enum([...ROUTER_METRICS]),
})
const ErrorParams = Type.Object({ app: Type.String(), formation: Type.String() })
const Asked = Type.Object({
  start_time: Type.String(),
  end_time: Type.String(),
  step: Type.Optional(Type.String()),
  process_type: Type.Optional(Type.String()),
})

export const appMetrics: FastifyPluginAsyncTypebox<ApiDeps> = async (
  server,
  { pool },
) => {
  server.get(
    '/apps/:app/router-metrics/:metric',
    { schema: { params: RouterParams, querystring: Asked } },
    async ({ params, query }) => {
      const app = await requireApp(pool, params.app)
      const { process_type: type = 'web' } = query
      if (type !== 'web') {
        throw new Problem(
          'bad_request',
          `invalid process_type provided: ${type} is not routed to`,
        )
      }
      const span = spanIn(query)
      const kept = await routerMeasures(pool, [app.id], span)
      return answer(span, routerSeries(params.metric, kept, span))
    },
  )

  server.get(
    '/apps/:app/formation/:formation/metrics/errors',
    { schema: { params: ErrorParams, querystring: Asked } },
    async ({ params, query }) => {
      const app = await requireApp(pool, params.app)
      const formation = await findFormation(pool, app.id, params.formation)
      // In the words by which the CLI knows it.
      if (!formation) {
        throw new Problem(
          'bad_request',
          `invalid process_type provided: ${params.formation}`,
        )
      }
      const span = spanIn(query)
      const of = { app: app.id, type: formation.type }
      const events = await dynoEventsOf(pool, of, { ...span, kinds: ERROR_EVENTS })
      return answer(span, dynoErrorSeries(events, span))
    },
  )
}

function spanIn(asked: Static<typeof Asked>): TimeSpan {
  const { start_time: start, end_time: end, step = '1m' } = asked
  const span = spanOf({ start, end, step })
  if (typeof span === 'string') throw new Problem('invalid_params', span)
  return span
}

function answer({ from, to, step }: TimeSpan, data: Series) {
  return {
    start_time: from.toISOString(),
    end_time: to.toISOString(),
    step: step / MINUTE,
    data,
  }
}
