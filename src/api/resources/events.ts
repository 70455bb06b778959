import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'

import type { App } from '../../model/app.ts'
import { EVENT_KINDS } from '../../model/event.ts'
import { findEvents, type KeptEvent } from '../../store/events.ts'
import { AppParams } from '../app-params.ts'
import type { ApiDeps } from '../deps.ts'
import { numbersIn, rangeOf, sendPart } from '../range.ts'
import { requireApp } from '../require-app.ts'

const Filter = Type.Object({
  kind: Type.Optional(Type.Enum([...EVENT_KINDS])),
  /** By id or name. */
  dyno: Type.Optional(Type.String()),
})

export const events: FastifyPluginAsyncTypebox<ApiDeps> = async (server, { pool }) => {
  server.get(
    '/apps/:app/events',
    { schema: { params: AppParams, querystring: Filter } },
    async (request, reply) => {
      const { kind, dyno } = request.query
      const app = await requireApp(pool, request.params.app)
      const range = rangeOf(request, ['id'])
      const found = await findEvents(pool, app.id, { kind, dyno, ...numbersIn(range) })
      const shown = found.map((it) => serializeEvent(it, app))
      return sendPart(reply, shown)
    },
  )
}

function serializeEvent(it: KeptEvent, app: App) {
  return {
    app: { id: app.id, name: app.name },
    cause: it.cause,
    created_at: it.at.toISOString(),
    dyno: it.dyno && { id: it.dyno, name: it.ps },
    id: it.id,
    kind: it.kind,
    message: it.message,
    release: it.release && { id: it.release },
    type: it.ps?.split('.')[0] ?? null,
  }
}
