/**
 * Heroku's monitors, which its CLI asks for at another host: docs/operating/metrics-and-autoscaling.md
 * says how it can be led here. Those that scale are here, and those that alert are not.
 */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from 'typebox'

import { type AutoscalingWish, setAutoscaling } from '../../actions/set-autoscaling.ts'
import type { App } from '../../model/app.ts'
import { DEFAULT_P95 } from '../../model/autoscaling.ts'
import type { Monitor } from '../../model/monitor.ts'
import { Problem } from '../../model/problem.ts'
import { findFormation } from '../../store/app-formations.ts'
import { findMonitor } from '../../store/monitors.ts'
import { inTransaction } from '../../store/queryable.ts'
import type { ApiDeps } from '../deps.ts'
import { requireApp } from '../require-app.ts'

const FormationParams = Type.Object({ app: Type.String(), formation: Type.String() })
const MonitorParams = Type.Object({
  app: Type.String(),
  formation: Type.String(),
  monitor: Type.String(),
})

/** As PostgreSQL's integer has it. */
const Count = Type.Integer({ minimum: 0, maximum: 1_000_000 })
const Changes = Type.Object({
  action_type: Type.Optional(Type.String()),
  is_active: Type.Optional(Type.Boolean()),
  max_quantity: Type.Optional(Count),
  min_quantity: Type.Optional(Count),
  name: Type.Optional(Type.Literal('LATENCY_SCALE')),
  notification_channels: Type.Optional(Type.Array(Type.String(), { maxItems: 20 })),
  notification_period: Type.Optional(Count),
  op: Type.Optional(Type.Literal('GREATER_OR_EQUAL')),
  /** Minutes. */
  period: Type.Optional(Type.Literal(1)),
  /** The p95 in milliseconds. */
  value: Type.Optional(Count),
})

export const monitors: FastifyPluginAsyncTypebox<ApiDeps> = async (server, deps) => {
  const { pool, limits } = deps

  server.get(
    '/apps/:app/formation/:formation/monitors',
    { schema: { params: FormationParams } },
    async ({ params }) => {
      const app = await requireScalable(params)
      const monitor = await findMonitor(pool, app.id)
      return monitor ? [serializeMonitor(monitor)] : []
    },
  )

  server.post(
    '/apps/:app/formation/:formation/monitors',
    { schema: { params: FormationParams, body: Changes } },
    async ({ params, body, account }, reply) => {
      const app = await requireScalable(params)
      const its = { is_active: true, value: DEFAULT_P95, ...body }
      const wish = { ...wishIn(its), monitor: null }
      const monitor = await inTransaction(pool, (tx) =>
        setAutoscaling(tx, app, { wish, account }, limits()),
      )
      return reply.status(201).send(serializeMonitor(monitor))
    },
  )

  server.patch(
    '/apps/:app/formation/:formation/monitors/:monitor',
    { schema: { params: MonitorParams, body: Changes } },
    async ({ params, body, account }) => {
      const app = await requireScalable(params)
      const wish = { ...wishIn(body), monitor: params.monitor }
      const monitor = await inTransaction(pool, (tx) =>
        setAutoscaling(tx, app, { wish, account }, limits()),
      )
      return serializeMonitor(monitor)
    },
  )

  async function requireScalable({
    app: identity,
    formation: type,
  }: Static<typeof FormationParams>): Promise<App> {
    const app = await requireApp(pool, identity)
    const formation = await findFormation(pool, app.id, type)
    if (!formation) throw new Problem('not_found', `Couldn't find that process type.`)
    if (formation.type !== 'web') {
      throw new Problem(
        'invalid_params',
        'Only web dynos can be scaled by their response time.',
      )
    }
    return app
  }
}

function wishIn(body: Static<typeof Changes>): AutoscalingWish {
  const {
    action_type: action = 'scale',
    notification_channels,
    notification_period,
  } = body
  if (action !== 'scale') {
    throw new Problem(
      'invalid_params',
      'Mayfly has no monitors that alert: let Prometheus do that, from GET /metrics.',
    )
  }
  return {
    isActive: body.is_active,
    wanted: { min: body.min_quantity, max: body.max_quantity, p95: body.value },
    notificationChannels: notification_channels,
    notificationPeriod: notification_period,
  }
}

function serializeMonitor(it: Monitor) {
  return {
    action_type: 'scale',
    app_uuid: it.app,
    created_at: it.createdAt.toISOString(),
    id: it.id,
    is_active: it.isActive,
    max_quantity: it.wanted.max,
    min_quantity: it.wanted.min,
    name: 'LATENCY_SCALE',
    notification_channels: it.notificationChannels,
    notification_period: it.notificationPeriod,
    op: 'GREATER_OR_EQUAL',
    period: 1,
    process_type: 'web',
    updated_at: it.updatedAt.toISOString(),
    value: it.wanted.p95,
  }
}
