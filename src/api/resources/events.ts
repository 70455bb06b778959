import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'

import type { App } from '../../model/app.ts'
import { findEvents, type KeptEvent } from '../../store/events.ts'
import type { Deps } from '../deps.ts'
import { parseRange, type Range, sendPart } from '../range.ts'
import { requireApp } from '../require-app.ts'

const AppParams = Type.Object({ app: Type.String() })
const Filter = Type.Object({
  kind: Type.Optional(Type.String()),
  /** By id or name. */
  dyno: Type.Optional(Type.String()),
})

export const events: FastifyPluginAsyncTypebox<Deps> = async (server, { pool }) => {
  server.get(
    '/apps/:app/events',
    { schema: { params: AppParams, querystring: Filter } },
    async (request, reply) => {
      const { kind, dyno } = request.query
      const app = await requireApp(pool, request.params.app)
      const range = parseRange([request.headers.range].join(), ['id'])
      // One more than asked for shows whether there are more.
      const most = range.max + 1
      const found = await findEvents(pool, app.id, {
        kind,
        dyno,
        ...boundsOf(range),
        descending: range.descending,
        most,
      })
      const shown = found.map((it) => serializeEvent(it, app))
      return sendPart(request, reply, shown)
    },
  )
}

function boundsOf({ from, after, to, descending }: Range) {
  const first = numberIn(from)
  const next = descending ? -1 : 1
  return {
    from: first !== undefined && after ? first + next : first,
    to: numberIn(to),
  }
}

function numberIn(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
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
