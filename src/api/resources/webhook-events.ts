import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'

import { Problem } from '../../model/problem.ts'
import {
  type AppWebhookEvent,
  findWebhookEvent,
  webhookEventsOf,
} from '../../store/app-webhook-deliveries.ts'
import { AppParams } from '../app-params.ts'
import type { ApiDeps } from '../deps.ts'
import { numbersIn, rangeOf, sendPart } from '../range.ts'
import { requireApp } from '../require-app.ts'

const EventParams = Type.Object({ app: Type.String(), event: Type.String() })

export const webhookEvents: FastifyPluginAsyncTypebox<ApiDeps> = async (
  server,
  { pool },
) => {
  server.get(
    '/apps/:app/webhook-events',
    { schema: { params: AppParams } },
    async (request, reply) => {
      const app = await requireApp(pool, request.params.app)
      const range = rangeOf(request, ['seq'])
      const found = await webhookEventsOf(pool, app.id, numbersIn(range))
      return sendPart(reply, found, { properties: ['seq'], show: serializeWebhookEvent })
    },
  )

  server.get(
    '/apps/:app/webhook-events/:event',
    { schema: { params: EventParams } },
    async ({ params }) => {
      const app = await requireApp(pool, params.app)
      const event = await findWebhookEvent(pool, app.id, params.event)
      if (!event) throw new Problem('not_found', `Couldn't find that event.`)
      return serializeWebhookEvent(event)
    },
  )
}

function serializeWebhookEvent(it: AppWebhookEvent) {
  const at = it.createdAt.toISOString()
  const { action, actor, data, previous_data, published_at, resource, version } =
    it.payload
  return {
    created_at: at,
    id: it.id,
    include: it.include,
    payload: { action, actor, data, previous_data, published_at, resource, version },
    updated_at: at,
  }
}
