import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'

import { createLogSession } from '../../actions/create-log-session.ts'
import { inTransaction } from '../../store/queryable.ts'
import { AppParams } from '../app-params.ts'
import type { ApiDeps } from '../deps.ts'
import { requireApp } from '../require-app.ts'

const ORDINARY_LINES = 100
/** As many as are kept of an app. */
const MOST_LINES = 1500

const Wish = Type.Object({
  dyno: Type.Optional(Type.String()),
  lines: Type.Optional(Type.Integer()),
  source: Type.Optional(Type.String()),
  tail: Type.Optional(Type.Boolean()),
})

export const logSessions: FastifyPluginAsyncTypebox<ApiDeps> = async (
  server,
  { pool },
) => {
  server.post(
    '/apps/:app/log-sessions',
    { schema: { params: AppParams, body: Wish } },
    async (request, reply) => {
      const app = await requireApp(pool, request.params.app)
      const { dyno, source, lines = ORDINARY_LINES, tail = false } = request.body
      const kept = Math.min(Math.max(lines, 0), MOST_LINES)
      const wish = { account: request.account.id, dyno, source, lines: kept, tail }
      const made = await inTransaction(pool, (tx) => createLogSession(tx, app, wish))
      const at = made.createdAt.toISOString()
      return reply.status(201).send({
        created_at: at,
        id: made.id,
        // Where the client got this answer from, it gets its lines from: the front door.
        logplex_url: `${request.protocol}://${request.host}/sessions/${made.token}`,
        updated_at: at,
      })
    },
  )
}
