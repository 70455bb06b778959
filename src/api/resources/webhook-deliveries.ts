import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'

import { Problem } from '../../model/problem.ts'
import {
  type AppDelivery,
  deliveriesOf,
  findDelivery,
} from '../../store/app-webhook-deliveries.ts'
import { AppParams } from '../app-params.ts'
import type { ApiDeps } from '../deps.ts'
import { numbersIn, rangeOf, sendPart } from '../range.ts'
import { requireApp } from '../require-app.ts'

const DeliveryParams = Type.Object({ app: Type.String(), delivery: Type.String() })
const Filter = Type.Object({ 'eq[status]': Type.Optional(Type.String()) })

export const webhookDeliveries: FastifyPluginAsyncTypebox<ApiDeps> = async (
  server,
  { pool },
) => {
  server.get(
    '/apps/:app/webhook-deliveries',
    { schema: { params: AppParams, querystring: Filter } },
    async (request, reply) => {
      const app = await requireApp(pool, request.params.app)
      const range = rangeOf(request, ['seq'])
      const status = request.query['eq[status]']
      const found = await deliveriesOf(pool, app.id, { ...numbersIn(range), status })
      return sendPart(reply, found, { properties: ['seq'], show: serializeDelivery })
    },
  )

  server.get(
    '/apps/:app/webhook-deliveries/:delivery',
    { schema: { params: DeliveryParams } },
    async ({ params }) => {
      const app = await requireApp(pool, params.app)
      const delivery = await findDelivery(pool, app.id, params.delivery)
      if (!delivery) throw new Problem('not_found', `Couldn't find that delivery.`)
      return serializeDelivery(delivery)
    },
  )
}

function serializeDelivery(it: AppDelivery) {
  return {
    created_at: it.createdAt.toISOString(),
    event: it.event,
    id: it.id,
    last_attempt: it.attempt && {
      id: it.attempt,
      code: it.attemptCode,
      error_class: it.attemptError,
      status: it.attemptStatus,
      created_at: it.attemptCreatedAt?.toISOString(),
      updated_at: it.attemptUpdatedAt?.toISOString(),
    },
    next_attempt_at: it.nextAttemptAt?.toISOString() ?? null,
    num_attempts: it.numAttempts,
    status: it.status,
    updated_at: it.updatedAt.toISOString(),
    webhook: it.webhook,
  }
}
