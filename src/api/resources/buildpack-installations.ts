import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from 'typebox'

import { putBuildpacks } from '../../actions/put-buildpacks.ts'
import { buildpacksOf } from '../../store/buildpack-installations.ts'
import { inTransaction } from '../../store/queryable.ts'
import { AppParams } from '../app-params.ts'
import type { Deps } from '../deps.ts'
import { requireApp } from '../require-app.ts'

const Buildpack = Type.Union([
  Type.String(),
  Type.Object({ url: Type.String() }),
  Type.Object({ name: Type.String() }),
])
const Updates = Type.Object({
  updates: Type.Array(Type.Object({ buildpack: Buildpack })),
})

export const buildpackInstallations: FastifyPluginAsyncTypebox<Deps> = async (
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
