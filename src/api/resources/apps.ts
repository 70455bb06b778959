import { isDeepStrictEqual } from 'node:util'

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { App as ApiApp } from '@heroku-cli/schema'
import { Type } from 'typebox'

import { createApp } from '../../actions/create-app.ts'
import { destroyApp } from '../../actions/destroy-app.ts'
import { updateApp } from '../../actions/update-app.ts'
import type { Installation } from '../../installation/data-directory.ts'
import { type App, webUrlOf } from '../../model/app.ts'
import { namedId } from '../../model/named-id.ts'
import { DEFAULT_STACK } from '../../model/stack.ts'
import { appsSeenBy } from '../../store/apps.ts'
import { publish } from '../../store/publish.ts'
import { inTransaction } from '../../store/queryable.ts'
import { AppParams } from '../app-params.ts'
import type { ApiDeps } from '../deps.ts'
import { Identity, identityIn } from '../identity.ts'
import { sendPart } from '../range.ts'
import { requireApp } from '../require-app.ts'

const Creation = Type.Union([
  Type.Object({
    name: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    region: Type.Optional(Identity),
    stack: Type.Optional(Identity),
  }),
  Type.Null(),
])

const Changes = Type.Object({
  name: Type.Optional(Type.String()),
  maintenance: Type.Optional(Type.Boolean()),
  build_stack: Type.Optional(Identity),
})

export const apps: FastifyPluginAsyncTypebox<ApiDeps> = async (server, deps) => {
  const { pool, secrets, clock, installation, limits } = deps
  const shown = (app: App) => serializeApp(app, installation)

  for (const url of ['/apps', '/users/~/apps']) {
    server.get(url, async (request, reply) => {
      const all = await appsSeenBy(pool, request.account.id)
      return sendPart(reply, all.map(shown), { properties: ['name', 'id', 'updated_at'] })
    })
  }

  server.post(
    '/apps',
    { schema: { body: Creation }, config: { keepsMuch: true } },
    async (request, reply) => {
      const { name, region, stack } = request.body ?? {}
      const wish = {
        account: request.account,
        name: name ?? undefined,
        region: region ? identityIn(region) : (installation.regions[0]?.name ?? ''),
        stack: stack ? identityIn(stack) : DEFAULT_STACK,
      }
      const app = await inTransaction(pool, (tx) =>
        createApp(tx, wish, secrets, limits()),
      )
      return reply.status(201).send(shown(app))
    },
  )

  server.get('/apps/:app', { schema: { params: AppParams } }, async ({ params }) =>
    shown(await requireApp(pool, params.app)),
  )

  server.patch(
    '/apps/:app',
    { schema: { params: AppParams, body: Changes } },
    async ({ params, body, account }) => {
      const { id } = await requireApp(pool, params.app)
      const { name, maintenance, build_stack } = body
      const stack = build_stack && identityIn(build_stack)
      return inTransaction(pool, async (tx) => {
        const changes = { name, maintenance, stack }
        const { before, after } = await updateApp(tx, id, changes, account)
        const data = shown(after)
        if (after === before) return data
        const previously = shown({ ...before, updatedAt: after.updatedAt })
        const previousData = differences(previously, data)
        const happening = { app: id, at: clock.now(), actor: account, data, previousData }
        // Here, for only the API knows in which words it shows an app.
        await publish(tx, [{ ...happening, include: 'api:app', action: 'update' }])
        return data
      })
    },
  )

  server.delete(
    '/apps/:app',
    { schema: { params: AppParams } },
    async ({ params, account }) => {
      const app = await requireApp(pool, params.app)
      await inTransaction(pool, (tx) => destroyApp(tx, app, account))
      return shown(app)
    },
  )
}

/** What `before` has otherwise than `after`. */
function differences(before: object, after: object): object {
  const now: Readonly<Record<string, unknown>> = { ...after }
  return Object.fromEntries(
    Object.entries(before).filter(([key, it]) => !isDeepStrictEqual(it, now[key])),
  )
}

export function serializeApp(app: App, installation: Installation): ApiApp {
  const stack = { id: namedId('stack', app.stack), name: app.stack }
  return {
    acm: app.acm,
    archived_at: null,
    base_image_name: null,
    build_stack: stack,
    buildpack_provided_description: app.buildpackProvidedDescription,
    buildpacks: null,
    created_at: app.createdAt.toISOString(),
    current_build_architecture: [],
    generation: 'cedar',
    git_url: `https://localhost:${installation.apiPort}/${app.name}.git`,
    id: app.id,
    internal_routing: null,
    maintenance: app.maintenance,
    name: app.name,
    organization: app.team,
    owner: { id: app.owner.id, email: app.owner.email },
    region: { id: app.regionId, name: app.region },
    released_at: app.releasedAt?.toISOString() ?? null,
    repo_size: app.repoSize,
    slug_size: app.slugSize,
    space: null,
    stack,
    team: app.team,
    updated_at: app.updatedAt.toISOString(),
    web_url: webUrlOf(app),
  }
}
