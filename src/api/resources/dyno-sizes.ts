import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'

import { GiB } from '../../lib/bytes.ts'
import { namedId } from '../../model/named-id.ts'
import { Problem } from '../../model/problem.ts'
import { idOfSize, type Size, sizeNamed } from '../../model/size.ts'
import { AppParams } from '../app-params.ts'
import type { ApiDeps } from '../deps.ts'
import { sendPart } from '../range.ts'
import { requireApp } from '../require-app.ts'

const SizeParams = Type.Object({ size: Type.String() })

export const dynoSizes: FastifyPluginAsyncTypebox<ApiDeps> = async (server, deps) => {
  const { pool, limits } = deps

  server.get('/dyno-sizes', async (_, reply) =>
    sendPart(reply, limits().sizes.map(serializeSize), { properties: ['name', 'id'] }),
  )

  server.get(
    '/dyno-sizes/:size',
    { schema: { params: SizeParams } },
    async ({ params }) => {
      const { sizes } = limits()
      const size = sizeNamed(params.size, sizes)
      if (!size) throw new Problem('not_found', `Couldn't find that dyno size.`)
      return serializeSize(size)
    },
  )

  server.get(
    '/apps/:app/available-dyno-sizes',
    { schema: { params: AppParams } },
    async ({ params }) => {
      await requireApp(pool, params.app)
      return limits().sizes.map(serializeSize)
    },
  )
}

function serializeSize(it: Size) {
  const [tier = ''] = it.name.toLowerCase().split('-')
  return {
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    can_autoscale: false,
    compute: it.cpuShare,
    // They are your own machines.
    cost: null,
    dedicated: it.dedicated,
    generation: { id: namedId('generation', 'cedar'), name: 'cedar' },
    id: idOfSize(it.name),
    infrastructure_tier: 'production',
    memory: it.memory / GiB,
    name: it.name,
    precise_dyno_units: it.cpuShare,
    private_space_only: false,
    product_dyno_tier: tier,
  }
}
