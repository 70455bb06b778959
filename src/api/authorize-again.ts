import type { FastifyInstance, FastifyRequest } from 'fastify'

import { SECOND } from '../lib/clock.ts'
import { authenticateAgain } from './authenticate.ts'
import { authorize } from './authorize.ts'
import type { ApiDeps } from './deps.ts'

/** What comes sooner is as good as at once. */
const AT_ONCE = SECOND

/**
 * Asks once more who calls and what they may, right before the handler, where the body came
 * slowly: meanwhile a token may have been revoked, or somebody shut out.
 */
export function authorizeAgain(server: FastifyInstance, deps: ApiDeps): void {
  const authorized = new WeakMap<FastifyRequest, number>()
  const now = () => deps.clock.now().getTime()

  server.addHook('preParsing', async (request) => {
    if (!request.routeOptions.config.open) authorized.set(request, now())
  })
  server.addHook('preHandler', async (request) => {
    const at = authorized.get(request)
    // A clock that was set back says nothing of how slowly it came.
    if (at === undefined || Math.abs(now() - at) <= AT_ONCE) return
    await authenticateAgain(deps, request)
    await authorize(deps.pool, request)
  })
}
