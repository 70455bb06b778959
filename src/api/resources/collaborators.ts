import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'

import type { App } from '../../model/app.ts'
import { namedId } from '../../model/named-id.ts'
import { Problem } from '../../model/problem.ts'
import type { Deps } from '../deps.ts'
import { requireApp } from '../require-app.ts'

const AppParams = Type.Object({ app: Type.String() })
const CollaboratorParams = Type.Object({
  app: Type.String(),
  collaborator: Type.String(),
})

/** An app has one collaborator: its owner. */
export const collaborators: FastifyPluginAsyncTypebox<Deps> = async (
  server,
  { pool },
) => {
  server.get(
    '/apps/:app/collaborators',
    { schema: { params: AppParams } },
    async ({ params }) => [ownerOf(await requireApp(pool, params.app))],
  )

  server.get(
    '/apps/:app/collaborators/:collaborator',
    { schema: { params: CollaboratorParams } },
    async ({ params }) => {
      const owner = ownerOf(await requireApp(pool, params.app))
      if (![owner.id, owner.user.id, owner.user.email].includes(params.collaborator)) {
        throw new Problem('not_found', `Couldn't find that collaborator.`)
      }
      return owner
    },
  )
}

function ownerOf(app: App) {
  const at = app.createdAt.toISOString()
  return {
    app: { id: app.id, name: app.name },
    created_at: at,
    id: namedId('collaborator', `${app.id} ${app.owner.id}`),
    permissions: [],
    role: 'owner',
    updated_at: at,
    user: { email: app.owner.email, federated: false, id: app.owner.id as string },
  }
}
