import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'

import { addCollaborator } from '../../actions/add-collaborator.ts'
import { removeCollaborator } from '../../actions/remove-collaborator.ts'
import { setPermissions } from '../../actions/set-permissions.ts'
import { ORDINARY, type Permission, PERMISSIONS } from '../../model/access.ts'
import type { Account, App } from '../../model/app.ts'
import { namedId } from '../../model/named-id.ts'
import { Problem } from '../../model/problem.ts'
import type { Happening } from '../../model/webhook.ts'
import {
  type Collaborator,
  collaboratorsOf,
  findCollaborator,
} from '../../store/collaborators.ts'
import { publish } from '../../store/publish.ts'
import { inTransaction, type Queryable } from '../../store/queryable.ts'
import { AppParams } from '../app-params.ts'
import { mustHave } from '../authorize.ts'
import type { ApiDeps } from '../deps.ts'
import { ABSENT } from '../identity.ts'
import { requireApp } from '../require-app.ts'
import { requirePerson } from '../require-person.ts'
import { serializePermission } from '../serialize-permission.ts'

const CollaboratorParams = Type.Object({
  app: Type.String(),
  collaborator: Type.String(),
})
const Permissions = Type.Array(Type.Enum([...PERMISSIONS]))
const Addition = Type.Object({
  user: Type.Union([
    Type.String({ minLength: 1 }),
    Type.Object({ email: Type.String({ minLength: 1 }) }),
    Type.Object({ id: Type.String({ minLength: 1 }), email: ABSENT }),
  ]),
  permissions: Type.Optional(Permissions),
  silent: Type.Optional(Type.Boolean()),
})
const Change = Type.Object({ permissions: Permissions })

export const collaborators: FastifyPluginAsyncTypebox<ApiDeps> = async (server, deps) => {
  const { pool, clock } = deps

  for (const base of ['/apps/:app', '/teams/apps/:app']) {
    server.get(
      `${base}/collaborators`,
      { schema: { params: AppParams } },
      async ({ params }) => {
        const app = await requireApp(pool, params.app)
        const others = await collaboratorsOf(pool, app.id)
        return [ownerOf(app), ...others.map((it) => serializeCollaborator(it, app))]
      },
    )

    server.get(
      `${base}/collaborators/:collaborator`,
      { schema: { params: CollaboratorParams } },
      async ({ params }) => {
        const app = await requireApp(pool, params.app)
        const owner = ownerOf(app)
        const names = [owner.id, owner.user.id, owner.user.email]
        if (names.includes(params.collaborator.toLowerCase())) return owner
        return serializeCollaborator(await requireIt(app, params.collaborator), app)
      },
    )

    server.post(
      `${base}/collaborators`,
      // Who may see a team's app as its member may join it.
      { schema: { params: AppParams, body: Addition }, config: { needs: 'view' } },
      async (request, reply) => {
        const { account: by, standing, body } = request
        const app = await requireApp(pool, request.params.app)
        const identity = userIn(body.user)
        const joins = standing.role === 'member' && isNamedBy(by, identity)
        // First: who may not let others in need not learn whether there is such a one.
        if (!joins) mustHave(standing, 'manage')
        const account = joins ? by : await requirePerson(deps, by, identity)
        const permissions = joins || !app.team ? ORDINARY : (body.permissions ?? ORDINARY)
        const shown = await inTransaction(pool, async (tx) => {
          const made = await addCollaborator(tx, { app, account, permissions, by })
          return told(tx, { app, by, action: 'create', data: made })
        })
        return reply.status(201).send(shown)
      },
    )

    server.delete(
      `${base}/collaborators/:collaborator`,
      // Everyone may leave.
      { schema: { params: CollaboratorParams }, config: { needs: 'view' } },
      async ({ account: by, standing, params }) => {
        const app = await requireApp(pool, params.app)
        const leaves = isNamedBy(by, params.collaborator)
        if (!leaves) mustHave(standing, 'manage')
        const collaborator = await requireIt(app, params.collaborator)
        return inTransaction(pool, async (tx) => {
          await removeCollaborator(tx, app, { collaborator, by })
          return told(tx, { app, by, action: 'destroy', data: collaborator })
        })
      },
    )
  }

  server.patch(
    '/teams/apps/:app/collaborators/:collaborator',
    { schema: { params: CollaboratorParams, body: Change } },
    async ({ account: by, params, body }) => {
      const app = await requireApp(pool, params.app)
      if (!app.team) {
        throw new Problem('invalid_params', `Only a team's apps have permissions.`)
      }
      const collaborator = await requireIt(app, params.collaborator)
      const { permissions } = body
      return inTransaction(pool, async (tx) => {
        const changed = await setPermissions(tx, app, { collaborator, permissions, by })
        return told(tx, { app, by, action: 'update', data: changed })
      })
    },
  )

  async function requireIt(app: App, identity: string): Promise<Collaborator> {
    const found = await findCollaborator(pool, app.id, identity)
    if (!found) throw new Problem('not_found', `Couldn't find that collaborator.`)
    return found
  }

  /** Tells webhooks, and returns the collaborator as it is shown. */
  async function told(
    tx: Queryable,
    it: {
      readonly app: App
      readonly by: Account
      readonly action: Happening['action']
      readonly data: Collaborator
    },
  ) {
    const { app, by: actor, action } = it
    const data = serializeCollaborator(it.data, app)
    const at = clock.now()
    await publish(tx, [
      { app: app.id, at, actor, include: 'api:collaborator', action, data },
    ])
    return data
  }
}

function isNamedBy({ id, email }: Account, identity: string): boolean {
  return [id, email].some((it) => it === identity.toLowerCase())
}

function userIn(
  user: string | { readonly email: string } | { readonly id: string },
): string {
  if (typeof user === 'string') return user
  return 'email' in user ? user.email : user.id
}

function serializeCollaborator(it: Collaborator, app: App) {
  return {
    app: { id: app.id as string, name: app.name },
    created_at: it.createdAt.toISOString(),
    id: it.id as string,
    permissions: (app.team ? it.permissions : []).map(serializePermission),
    role: it.role as string,
    updated_at: it.updatedAt.toISOString(),
    user: { email: it.account.email, federated: false, id: it.account.id as string },
  }
}

function ownerOf(app: App) {
  const at = app.createdAt.toISOString()
  const all: readonly Permission[] = app.team ? PERMISSIONS : []
  return {
    app: { id: app.id as string, name: app.name },
    created_at: at,
    id: namedId('collaborator', `${app.id} ${app.owner.id}`),
    permissions: all.map(serializePermission),
    role: 'owner',
    updated_at: at,
    user: { email: app.owner.email, federated: false, id: app.owner.id as string },
  }
}
