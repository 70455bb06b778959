import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Build as ApiBuild } from '@heroku-cli/schema'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'

import { cancelBuild } from '../../actions/cancel-build.ts'
import { clearBuildCache } from '../../actions/clear-build-cache.ts'
import { createBuild } from '../../actions/create-build.ts'
import type { App } from '../../model/app.ts'
import type { Build } from '../../model/build.ts'
import { type BuildId, isUuid, type SourceId } from '../../model/ids.ts'
import { Problem } from '../../model/problem.ts'
import { digestOf } from '../../model/token.ts'
import { buildsOf, findBuild, sourceUrls } from '../../store/builds.ts'
import { inTransaction, type Queryable } from '../../store/queryable.ts'
import { sourceToGet } from '../../store/sources.ts'
import { AppParams } from '../app-params.ts'
import { MOST_BUILDPACKS, OF_A_BUILDPACK } from '../bound-bodies.ts'
import type { ApiDeps } from '../deps.ts'
import { ABSENT } from '../identity.ts'
import { outputFeed } from '../output-feed.ts'
import { idInOutputToken, outputToken } from '../output-tokens.ts'
import { partIn, rangeOf, sendFound } from '../range.ts'
import { requireApp } from '../require-app.ts'

const BuildParams = Type.Object({ app: Type.String(), build: Type.String() })
const OutputParams = Type.Object({ token: Type.String() })

const Text = Type.Optional(Type.Union([Type.String(), Type.Null()]))
const Buildpack = Type.Union([
  Type.Object({ url: Type.String({ minLength: 1, ...OF_A_BUILDPACK }) }),
  Type.Object({ name: Type.String({ minLength: 1, ...OF_A_BUILDPACK }), url: ABSENT }),
])
const Creation = Type.Object({
  source_blob: Type.Object({
    // A capability's, as the stores of others sign them.
    url: Type.String({ minLength: 1, maxLength: 8000 }),
    version: Text,
    version_description: Text,
    checksum: Text,
  }),
  buildpacks: Type.Optional(
    Type.Union([Type.Array(Buildpack, MOST_BUILDPACKS), Type.Null()]),
  ),
})

const SORTED_BY = ['created_at', 'id'] as const

export const builds: FastifyPluginAsyncTypebox<ApiDeps> = async (
  server,
  { pool, secrets },
) => {
  const sendOutput = outputFeed(pool, 'build')

  server.post(
    '/apps/:app/builds',
    { schema: { params: AppParams, body: Creation }, config: { keepsMuch: true } },
    async (request, reply) => {
      const { body, params, account } = request
      const app = await requireApp(pool, params.app)
      const { url, version, version_description, checksum } = body.source_blob
      const build = await inTransaction(pool, async (tx) =>
        createBuild(tx, {
          app,
          account,
          source: await sourceBehind(tx, url),
          sourceUrl: secrets.seal(url, app.id),
          ...(version && { version }),
          ...(version_description && { description: version_description }),
          ...(checksum && { checksum }),
          ...(body.buildpacks && { buildpacks: body.buildpacks.map(nameOf) }),
        }),
      )
      return reply.status(201).send(shown(build, { app, url }, request))
    },
  )

  server.get(
    '/apps/:app/builds',
    { schema: { params: AppParams } },
    async (request, reply) => {
      const app = await requireApp(pool, request.params.app)
      const range = rangeOf(request, SORTED_BY)
      const found = await buildsOf(pool, app.id, partIn(range))
      const urls = await urlsOf(found, app, request)
      return sendFound(reply, found, {
        range,
        properties: SORTED_BY,
        show: (it) => shown(it, { app, url: urls.get(it.id) }, request),
      })
    },
  )

  server.get(
    '/apps/:app/builds/:build',
    { schema: { params: BuildParams } },
    async (request) => {
      const { app, build } = await requireBuild(request.params)
      return show(build, app, request)
    },
  )

  server.delete(
    '/apps/:app/builds/:build',
    { schema: { params: BuildParams } },
    async (request) => {
      const { app, build } = await requireBuild(request.params)
      await inTransaction(pool, (tx) => cancelBuild(tx, app, build.id))
      return show(build, app, request)
    },
  )

  server.delete(
    '/apps/:app/build-cache',
    { schema: { params: AppParams } },
    async ({ params }) => {
      const app = await requireApp(pool, params.app)
      await inTransaction(pool, (tx) => clearBuildCache(tx, app))
      return {}
    },
  )

  server.get(
    '/builds/:token/output',
    // Of HEAD it would be followed to its end, for nobody.
    { schema: { params: OutputParams }, config: { open: true }, exposeHeadRoute: false },
    async ({ params }, reply) => {
      const id = idInOutputToken(params.token, secrets) as BuildId | undefined
      const build = id && (await findBuild(pool, id))
      if (!build) throw new Problem('not_found', `Couldn't find that build.`)
      return sendOutput(
        { printer: { build: build.id }, account: build.account.id },
        reply,
      )
    },
  )

  async function show(build: Build, app: App, request: FastifyRequest) {
    const url = (await urlsOf([build], app, request)).get(build.id)
    return shown(build, { app, url }, request)
  }

  function shown(it: Build, its: Shown, { protocol, host }: FastifyRequest): ApiBuild {
    // Where the client got this answer from, it gets the output from: the front door.
    const at = `${protocol}://${host}/builds/${outputToken(it.id, secrets)}/output`
    return serializeBuild(it, its, at)
  }

  /** Who has one has the code: it is a secret of ours, or may hold one of somebody else's. */
  async function urlsOf(
    found: readonly Build[],
    app: App,
    { standing }: FastifyRequest,
  ): Promise<ReadonlyMap<BuildId, string>> {
    if (!standing.permissions.includes('deploy')) return new Map()
    const given = await sourceUrls(pool, found, secrets)
    const pushed = found
      .filter((it) => it.pushed)
      .map((it) => [it.id, `git:${app.name}#${it.source}`] as const)
    return new Map([...given, ...pushed])
  }

  async function requireBuild(params: { app: string; build: string }) {
    const app = await requireApp(pool, params.app)
    const build = isUuid(params.build)
      ? await findBuild(pool, params.build as BuildId)
      : undefined
    if (build?.app !== app.id) {
      throw new Problem('not_found', `Couldn't find that build.`)
    }
    return { app, build }
  }
}

/** The upload that a URL of ours stands for; null for anybody else's URL. */
async function sourceBehind(tx: Queryable, text: string): Promise<SourceId | null> {
  const url = URL.parse(text)
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    throw new Problem('invalid_params', 'source_blob.url is no http or https URL.')
  }
  const token = /^\/sources\/([\w-]+)$/.exec(url.pathname)?.[1]
  const source = token === undefined ? undefined : await sourceToGet(tx, digestOf(token))
  if (source && !source.uploadedAt) {
    throw new Problem('invalid_params', 'Nothing was uploaded to that source.')
  }
  return source?.id ?? null
}

function nameOf(buildpack: { url: string } | { name: string }): string {
  return 'url' in buildpack ? buildpack.url : buildpack.name
}

interface Shown {
  readonly app: App
  /** Of its source, where whoever asks may know it. */
  readonly url: string | undefined
}

function serializeBuild(it: Build, { app, url }: Shown, output: string): ApiBuild {
  return {
    app: { id: app.id },
    buildpacks: it.buildpacks?.map((name) => ({ url: name, name })) ?? null,
    created_at: it.createdAt.toISOString(),
    id: it.id,
    output_stream_url: output,
    // The CLI's types leave `null` out, its schema does not.
    release: (it.release ? { id: it.release } : null) as NonNullable<ApiBuild['release']>,
    slug: it.slug ? { id: it.slug } : null,
    source_blob: {
      checksum: it.sourceChecksum,
      url: (url ?? null) as string,
      version: it.sourceVersion,
      version_description: it.sourceDescription,
    },
    stack: it.stack,
    status: it.status,
    updated_at: it.updatedAt.toISOString(),
    user: { id: it.account.id, email: it.account.email },
  }
}
