import type { FastifyInstance, FastifyRequest } from 'fastify'

import { Problem, statusOf } from '../model/problem.ts'
import { isRead } from '../model/route-needs.ts'

/**
 * Refuses a write whose `If-Match` names none of what a GET of the same path would be answered now, with the
 * Problem `precondition_failed`. That is asked right before the write and without a lock: of two that are sent at
 * the same moment both may be let through. Of who comes by a password nothing is compared, and nothing matches:
 * the question would cost an attempt. Where it cannot be read, that is told instead (`rate_limit`, `service_unavailable`).
 */
export function heedIfMatch(server: FastifyInstance): void {
  server.addHook('preHandler', async (request) => {
    const wanted = digestsIn(request.headers['if-match'])
    const { method, routeOptions } = request
    if (wanted.length === 0 || wanted.includes('*') || isRead(method)) return
    if (routeOptions.config.open) return
    const present = await digestNow(server, request)
    if (present !== undefined && wanted.includes(present)) return
    throw new Problem(
      'precondition_failed',
      'It is not any more what If-Match says: read it again before you change it.',
    )
  })
}

/** Ours are weak ones, for an answer may be written in other ways; what they are of is compared all the same. */
function digestsIn(header: string | undefined): readonly string[] {
  const texts = (header ?? '').split(',').map((it) => it.trim().replace(/^W\//, ''))
  return texts.filter((it) => it !== '')
}

async function digestNow(
  server: FastifyInstance,
  { authorization, headers, url }: FastifyRequest,
): Promise<string | undefined> {
  if (authorization === undefined) return undefined
  const { accept = '', authorization: token = '' } = headers
  const asked = { accept, authorization: token }
  const answer = await server.inject({ method: 'GET', url, headers: asked })
  const { statusCode } = answer
  const isLimited = statusCode === statusOf.rate_limit
  if (isLimited || statusCode >= 500) {
    throw new Problem(
      isLimited ? 'rate_limit' : 'service_unavailable',
      'What If-Match is to be compared with cannot be read at the moment. Try again later.',
    )
  }
  const { etag } = answer.headers
  return statusCode === 200 ? digestsIn(etag?.toString())[0] : undefined
}
