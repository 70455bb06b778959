/**
 * The Platform API: what every request has in common, and then the resources. Nothing here
 * listens; `bin/api.ts` puts it behind the front door.
 */

import { randomUUID } from 'node:crypto'

import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyInstance, type FastifyPluginAsync } from 'fastify'

import { NO_ROOM_TO_KEEP } from '../lib/disk-room.ts'
import { Problem } from '../model/problem.ts'
import { isRead } from '../model/route-needs.ts'
import { routersHeed } from '../store/routers-heed.ts'
import { answerError } from './answer-error.ts'
import { answerUnchanged } from './answer-unchanged.ts'
import { auditWrite } from './audit-writes.ts'
import { authenticate } from './authenticate.ts'
import { authorizeAgain } from './authorize-again.ts'
import { authorize } from './authorize.ts'
import { takeBodiesInTime } from './bodies-in-time.ts'
import { boundBodies, LARGEST_BODY } from './bound-bodies.ts'
import type { ApiDeps } from './deps.ts'
import { heedIfMatch } from './heed-if-match.ts'
import { refuseUnfitTexts } from './refuse-unfit-texts.ts'
import { requireVersion } from './require-version.ts'
import { takeTurns } from './take-turns.ts'
import { clientOf } from './trusted-proxies.ts'

export type Resource = FastifyPluginAsync<ApiDeps>

export async function apiServer(
  deps: ApiDeps,
  resources: readonly Resource[],
  { bodyPatience }: { readonly bodyPatience?: number | undefined } = {},
): Promise<FastifyInstance> {
  const server = Fastify({
    bodyLimit: LARGEST_BODY,
    genReqId: () => randomUUID(),
    routerOptions: { maxParamLength: 500 },
    // Sloppy types are the resources' own affair: coercion would make "" of a null.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
  }).withTypeProvider<TypeBoxTypeProvider>()

  server.decorateRequest('account')
  server.decorateRequest('authorization')
  server.decorateRequest('rotations')
  server.decorateRequest('scope')
  server.decorateRequest('standing')
  server.decorateRequest('asked')
  server.decorateRequest('client', '')
  server.decorateRequest('logIn')
  server.decorateRequest('upload')
  takeJson(server)
  boundBodies(server)
  server.setErrorHandler(answerError(deps.log))
  server.setNotFoundHandler(async () => {
    throw new Problem('not_found', 'The requested API endpoint was not found.')
  })
  server.addHook('onRequest', async (request, reply) => {
    const {
      open = false,
      free = false,
      anyVersion = false,
      keepsMuch = false,
    } = request.routeOptions.config
    reply.header('request-id', request.id)
    request.client = clientOf(request.raw, deps.trustedProxies())
    if (open) return
    if (!anyVersion) requireVersion(request.headers.accept)
    await authenticate(deps, request)
    reply.header('ratelimit-remaining', deps.rateLimit.left(request))
    if (!free) reply.header('ratelimit-remaining', deps.rateLimit.take(request))
    await authorize(deps.pool, request)
    if (keepsMuch && !(await deps.hasDiskRoom())) {
      throw new Problem('service_unavailable', NO_ROOM_TO_KEEP)
    }
  })
  // Before a turn is taken: what it asks takes one of its own.
  heedIfMatch(server)
  // Before the caller is asked about again: to wait for a turn takes time, as a body does.
  takeTurns(server)
  authorizeAgain(server, deps)
  takeBodiesInTime(server, bodyPatience)
  server.addHook('onSend', answerUnchanged)
  server.addHook('onSend', async ({ method }, reply, payload) => {
    if (!isRead(method) && reply.statusCode < 300) await routesFollow(deps)
    return payload
  })
  server.addHook('onSend', async (request, reply, payload) => {
    await auditWrite(deps, request, { status: reply.statusCode, payload })
    return payload
  })
  for (const resource of resources) await server.register(resource, deps)
  await server.ready()
  return server
}

/** Before a change is acknowledged: whoever asks the app next gets no answer of before. */
async function routesFollow({ pool, log }: ApiDeps): Promise<void> {
  try {
    await routersHeed(pool)
  } catch (error) {
    // It is done all the same.
    log.error('cannot read whether the routers follow', error)
  }
}

/** The CLI says `Content-Type: application/json` also where it sends no body. */
function takeJson(server: FastifyInstance): void {
  const parse = server.getDefaultJsonParser('error', 'error')
  server.removeContentTypeParser('application/json')
  server.addContentTypeParser(
    /^application\/(?:[\w.-]+\+)?json/,
    { parseAs: 'string' },
    (request, body, done) => {
      if (body === '') return done(null, {})
      return parse(request, body as string, (error, json) => {
        if (error) return done(error)
        try {
          refuseUnfitTexts(body as string, json)
        } catch (problem) {
          return done(problem as Problem)
        }
        return done(null, json)
      })
    },
  )
}
