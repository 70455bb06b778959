import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'

import { databaseAnswers } from '../../store/answers.ts'
import type { ApiDeps } from '../deps.ts'

/** For the supervisor: is the API there, and does it reach its database? */
export const health: FastifyPluginAsyncTypebox<ApiDeps> = async (server, { pool }) => {
  server.get('/health', { config: { open: true } }, async () => {
    await databaseAnswers(pool)
    return { status: 'ok' }
  })
}
