import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Region as ApiRegion } from '@heroku-cli/schema'
import { Type } from 'typebox'

import { Problem } from '../../model/problem.ts'
import { findRegion } from '../../store/regions-by-identity.ts'
import { allRegions, type Region } from '../../store/regions.ts'
import type { ApiDeps } from '../deps.ts'
import { sendPart } from '../range.ts'

const RegionParams = Type.Object({ region: Type.String() })

export const regions: FastifyPluginAsyncTypebox<ApiDeps> = async (server, { pool }) => {
  server.get('/regions', async (_, reply) =>
    sendPart(reply, (await allRegions(pool)).map(serializeRegion), {
      properties: ['name', 'id'],
    }),
  )

  server.get(
    '/regions/:region',
    { schema: { params: RegionParams } },
    async ({ params }) => {
      const region = await findRegion(pool, params.region)
      if (!region) throw new Problem('not_found', `Couldn't find that region.`)
      return serializeRegion(region)
    },
  )
}

function serializeRegion(it: Region): ApiRegion {
  return {
    country: it.country,
    created_at: it.createdAt.toISOString(),
    description: it.description,
    id: it.id,
    locale: it.locale,
    name: it.name,
    private_capable: false,
    // Its region would have to be one of Amazon's.
    provider: { name: 'mayfly' },
    updated_at: it.updatedAt.toISOString(),
  }
}
