import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'

import type { Deps } from '../deps.ts'

/** For the supervisor: is the API there, and does it reach its database? */
export const health: FastifyPluginAsyncTypebox<Deps> = async (server, { pool }) => {
  server.get('/health', { config: { open: true } }, async () => {
    await pool.query('select 1')
    return { status: 'ok' }
  })
}
