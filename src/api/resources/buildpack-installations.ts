import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from 'typebox'

import { putBuildpacks } from '../../actions/put-buildpacks.ts'
import { buildpacksOf } from '../../store/buildpack-installations.ts'
import { inTransaction } from '../../store/queryable.ts'
import { AppParams } from '../app-params.ts'
import { MOST_BUILDPACKS, OF_A_BUILDPACK } from '../bound-bodies.ts'
import type { ApiDeps } from '../deps.ts'
import { ABSENT } from '../identity.ts'
import { requireApp } from '../require-app.ts'

const Named = Type.String(OF_A_BUILDPACK)
const Buildpack = Type.Union([
  Named,
  Type.Object({ url: Named }),
  Type.Object({ name: Named, url: ABSENT }),
])
const Updates = Type.Object({
  updates: Type.Array(Type.Object({ buildpack: Buildpack }), MOST_BUILDPACKS),
})

export const buildpackInstallations: FastifyPluginAsyncTypebox<ApiDeps> = async (
  server,
  { pool },
) => {
  server.get(
    '/apps/:app/buildpack-installations',
    { schema: { params: AppParams } },
    async ({ params }) => {
      const app = await requireApp(pool, params.app)
      return (await buildpacksOf(pool, app.id)).map(serializeInstallation)
    },
  )

  server.put(
    '/apps/:app/buildpack-installations',
    { schema: { params: AppParams, body: Updates } },
    async ({ params, body }) => {
      const app = await requireApp(pool, params.app)
      const urls = body.updates.map((it) => urlIn(it.buildpack))
      await inTransaction(pool, (tx) => putBuildpacks(tx, app, urls))
      return urls.map(serializeInstallation)
    },
  )
}

function urlIn(buildpack: Static<typeof Buildpack>): string {
  if (typeof buildpack === 'string') return buildpack
  return 'url' in buildpack ? buildpack.url : buildpack.name
}

function serializeInstallation(url: string, ordinal: number) {
  return { ordinal, buildpack: { url, name: url } }
}
