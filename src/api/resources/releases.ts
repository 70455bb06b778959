import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Release as ApiRelease } from '@heroku-cli/schema'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'

import { releaseSlug } from '../../actions/release-slug.ts'
import { rollback } from '../../actions/rollback.ts'
import type { App } from '../../model/app.ts'
import type { ReleaseId } from '../../model/ids.ts'
import { Problem } from '../../model/problem.ts'
import type { Release } from '../../model/release.ts'
import { serializeRelease } from '../../model/serialize-release.ts'
import { inTransaction } from '../../store/queryable.ts'
import {
  configVarsOf,
  findRelease,
  makerOfRelease,
  releasesOf,
} from '../../store/releases.ts'
import { AppParams } from '../app-params.ts'
import type { ApiDeps } from '../deps.ts'
import { ABSENT, Identity, identityIn } from '../identity.ts'
import { outputFeed } from '../output-feed.ts'
import { idInOutputToken, outputToken } from '../output-tokens.ts'
import { partIn, rangeOf, sendFound } from '../range.ts'
import { requireApp } from '../require-app.ts'

const ReleaseParams = Type.Object({ app: Type.String(), release: Type.String() })
const OutputParams = Type.Object({ token: Type.String() })
const Creation = Type.Union([
  Type.Object({ slug: Identity, description: Type.Optional(Type.String()) }),
  Type.Object({ release: Type.Union([Identity, Type.Integer()]), slug: ABSENT }),
])

const SORTED_BY = ['version', 'id'] as const

export const releases: FastifyPluginAsyncTypebox<ApiDeps> = async (server, deps) => {
  const { pool, secrets } = deps
  const sendOutput = outputFeed(pool, 'release')

  server.get(
    '/apps/:app/releases',
    { schema: { params: AppParams } },
    async (request, reply) => {
      const app = await requireApp(pool, request.params.app)
      const range = rangeOf(request, SORTED_BY)
      const found = await releasesOf(pool, app.id, partIn(range))
      return sendFound(reply, found, {
        range,
        properties: SORTED_BY,
        show: (it) => shown(it, app, request),
      })
    },
  )

  server.get(
    '/apps/:app/releases/:release',
    { schema: { params: ReleaseParams } },
    async (request) => {
      const { app, release } = await requireRelease(request.params)
      return shown(release, app, request)
    },
  )

  server.get(
    '/apps/:app/releases/:release/config-vars',
    { schema: { params: ReleaseParams } },
    async ({ params }) => {
      const { release } = await requireRelease(params)
      return configVarsOf(pool, release, secrets)
    },
  )

  server.post(
    '/apps/:app/releases',
    { schema: { params: AppParams, body: Creation }, config: { keepsMuch: true } },
    async (request, reply) => {
      const { params, body, account } = request
      const { id } = await requireApp(pool, params.app)
      const made = await inTransaction(pool, (tx) => {
        if (body.slug !== undefined) {
          const { description } = body
          const slug = identityIn(body.slug)
          return releaseSlug(tx, { app: id, account, slug, description }, secrets)
        }
        const release =
          typeof body.release === 'number'
            ? String(body.release)
            : identityIn(body.release)
        return rollback(tx, { app: id, account, release }, secrets)
      })
      const app = await requireApp(pool, id)
      return reply.status(201).send(shown(made, app, request))
    },
  )

  server.get(
    '/releases/:token/output',
    // Of HEAD it would be followed to its end, for nobody.
    { schema: { params: OutputParams }, config: { open: true }, exposeHeadRoute: false },
    async ({ params }, reply) => {
      const id = idInOutputToken(params.token, secrets) as ReleaseId | undefined
      const account = id && (await makerOfRelease(pool, id))
      if (!account) throw new Problem('not_found', `Couldn't find that release.`)
      return sendOutput({ printer: { release: id }, account }, reply)
    },
  )

  function shown(it: Release, app: App, { protocol, host }: FastifyRequest): ApiRelease {
    return {
      ...serializeRelease(it, app),
      // Where the client got this answer from, it gets the output from: the front door.
      output_stream_url: it.hasReleasePhase
        ? `${protocol}://${host}/releases/${outputToken(it.id, secrets)}/output`
        : null,
    }
  }

  async function requireRelease(params: { app: string; release: string }) {
    const app = await requireApp(pool, params.app)
    const release = await findRelease(pool, app.id, params.release)
    if (!release) throw new Problem('not_found', `Couldn't find that release.`)
    return { app, release }
  }
}
