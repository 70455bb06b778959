import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { AppFeature as ApiFeature } from '@heroku-cli/schema'
import { Type } from 'typebox'

import { setAppFeature } from '../../actions/set-app-feature.ts'
import { APP_FEATURES, type AppFeature, findFeature } from '../../model/app-features.ts'
import type { App } from '../../model/app.ts'
import { isUuid } from '../../model/ids.ts'
import { namedId } from '../../model/named-id.ts'
import { Problem } from '../../model/problem.ts'
import { type StoredFeature, storedFeatures } from '../../store/app-features.ts'
import { inTransaction } from '../../store/queryable.ts'
import { AppParams } from '../app-params.ts'
import type { ApiDeps } from '../deps.ts'
import { sendPart } from '../range.ts'
import { requireApp } from '../require-app.ts'

const FeatureParams = Type.Object({ app: Type.String(), feature: Type.String() })
const Change = Type.Object({ enabled: Type.Boolean() })

export const features: FastifyPluginAsyncTypebox<ApiDeps> = async (server, deps) => {
  const { pool, clock } = deps

  server.get(
    '/apps/:app/features',
    { schema: { params: AppParams } },
    async (request, reply) => {
      const app = await requireApp(pool, request.params.app)
      return sendPart(reply, await featuresOf(app), { properties: ['name', 'id'] })
    },
  )

  server.get(
    '/apps/:app/features/:feature',
    { schema: { params: FeatureParams } },
    async ({ params }) => {
      const app = await requireApp(pool, params.app)
      const { name } = requireFeature(params.feature)
      return (await featuresOf(app)).find((it) => it.name === name)
    },
  )

  server.patch(
    '/apps/:app/features/:feature',
    { schema: { params: FeatureParams, body: Change } },
    async ({ params, body: { enabled }, account }) => {
      const app = await requireApp(pool, params.app)
      const { name } = requireFeature(params.feature)
      const wish = { name, enabled, account, now: clock.now() }
      await inTransaction(pool, (tx) => setAppFeature(tx, app, wish))
      return (await featuresOf(app)).find((it) => it.name === name)
    },
  )

  // `labs` asks here first, and takes 404 to mean: then it is a feature of the app.
  server.get('/account/features', async () => [])
  server.route({
    method: ['GET', 'PATCH'],
    url: '/account/features/:feature',
    handler: async () => {
      throw new Problem('not_found', `Couldn't find that feature.`)
    },
  })

  async function featuresOf(app: App): Promise<ApiFeature[]> {
    const stored = await storedFeatures(pool, app.id)
    return APP_FEATURES.map((it) => {
      const said = stored.find(({ name }) => name === it.name)
      return serializeFeature(it, said, app)
    })
  }
}

/** By id or by name. */
function requireFeature(identity: string): AppFeature {
  const found = isUuid(identity)
    ? APP_FEATURES.find((it) => idOf(it) === identity)
    : findFeature(identity)
  if (found) return found
  throw new Problem('not_found', `Couldn't find that feature.`)
}

function idOf({ name }: AppFeature): string {
  return namedId('app feature', name)
}

function serializeFeature(
  it: AppFeature,
  said: StoredFeature | undefined,
  app: App,
): ApiFeature {
  return {
    created_at: app.createdAt.toISOString(),
    description: it.description,
    display_name: it.displayName,
    doc_url: it.docUrl,
    enabled: said?.enabled ?? it.default,
    // Nobody reads mail about them here.
    feedback_email: '',
    id: idOf(it),
    name: it.name,
    state: it.state,
    updated_at: (said?.updatedAt ?? app.createdAt).toISOString(),
  }
}
