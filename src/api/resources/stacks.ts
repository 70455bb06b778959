import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Stack as ApiStack } from '@heroku-cli/schema'
import { Type } from 'typebox'

import { Problem } from '../../model/problem.ts'
import { allStacks, DEFAULT_STACK, findStack, type Stack } from '../../model/stack.ts'
import { AppParams } from '../app-params.ts'
import type { ApiDeps } from '../deps.ts'
import { sendPart } from '../range.ts'
import { requireApp } from '../require-app.ts'

const StackParams = Type.Object({ stack: Type.String() })

export const stacks: FastifyPluginAsyncTypebox<ApiDeps> = async (server, { pool }) => {
  server.get('/stacks', async (_, reply) =>
    sendPart(reply, allStacks().map(serializeStack), { properties: ['name', 'id'] }),
  )

  server.get(
    '/stacks/:stack',
    { schema: { params: StackParams } },
    async ({ params }) => {
      const stack = findStack(params.stack)
      if (!stack) throw new Problem('not_found', `Couldn't find that stack.`)
      return serializeStack(stack)
    },
  )

  server.get(
    '/apps/:app/available-stacks',
    { schema: { params: AppParams } },
    async ({ params }) => {
      await requireApp(pool, params.app)
      return allStacks().map(serializeStack)
    },
  )
}

function serializeStack(it: Stack): ApiStack {
  return {
    created_at: it.createdAt.toISOString(),
    default: it.name === DEFAULT_STACK,
    id: it.id,
    name: it.name,
    state: 'public',
    updated_at: it.createdAt.toISOString(),
  }
}
