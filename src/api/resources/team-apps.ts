import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'

import { createApp } from '../../actions/create-app.ts'
import { offerApp } from '../../actions/offer-app.ts'
import { setAppLocked } from '../../actions/set-app-locked.ts'
import { transferApp } from '../../actions/transfer-app.ts'
import type { Account, App } from '../../model/app.ts'
import { Problem } from '../../model/problem.ts'
import { DEFAULT_STACK } from '../../model/stack.ts'
import { emailOfTeam } from '../../model/team.ts'
import { inTransaction } from '../../store/queryable.ts'
import { standingIn } from '../../store/standings.ts'
import { findTeam, type Team } from '../../store/teams.ts'
import { AppParams } from '../app-params.ts'
import type { ApiDeps } from '../deps.ts'
import { ABSENT, Identity, identityIn } from '../identity.ts'
import { requireApp } from '../require-app.ts'
import { requirePerson } from '../require-person.ts'
import { serializeApp } from './apps.ts'

const Creation = Type.Object({
  name: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  team: Type.Optional(Identity),
  region: Type.Optional(Identity),
  stack: Type.Optional(Identity),
  locked: Type.Optional(Type.Boolean()),
  personal: Type.Optional(Type.Boolean()),
  space: Type.Optional(Type.Union([Identity, Type.Null()])),
})
const Changes = Type.Union([
  Type.Object({ locked: Type.Boolean() }),
  Type.Object({ owner: Identity, locked: ABSENT }),
])

export const teamApps: FastifyPluginAsyncTypebox<ApiDeps> = async (server, deps) => {
  const { pool, secrets, installation, limits } = deps
  const shown = (app: App) => ({
    ...serializeApp(app, installation),
    joined: true,
    locked: app.locked,
  })

  server.post(
    '/teams/apps',
    { schema: { body: Creation }, config: { keepsMuch: true } },
    async (request, reply) => {
      const { account, body } = request
      const { name, team, region, stack, locked = false } = body
      if (body.space) throw new Problem('invalid_params', `Couldn't find that space.`)
      const owner = team ? accountOf(await ownTeam(account, identityIn(team))) : account
      const wish = {
        account,
        owner,
        name: name ?? undefined,
        region: region ? identityIn(region) : (installation.regions[0]?.name ?? ''),
        stack: stack ? identityIn(stack) : DEFAULT_STACK,
      }
      const made = await inTransaction(pool, async (tx) => {
        const app = await createApp(tx, wish, secrets, limits())
        return locked ? setAppLocked(tx, app, { locked, by: account }) : app
      })
      return reply.status(201).send(shown(made))
    },
  )

  server.get('/teams/apps/:app', { schema: { params: AppParams } }, async ({ params }) =>
    shown(await requireApp(pool, params.app)),
  )

  server.patch(
    '/teams/apps/:app',
    { schema: { params: AppParams, body: Changes }, config: { needs: 'manage' } },
    async ({ account: by, params, body }) => {
      const app = await requireApp(pool, params.app)
      if ('locked' in body) {
        const { locked } = body
        return shown(
          await inTransaction(pool, (tx) => setAppLocked(tx, app, { locked, by })),
        )
      }
      const { to, isOffered } = await recipient(by, app, identityIn(body.owner))
      if (isOffered) {
        const { state } = await inTransaction(pool, (tx) => offerApp(tx, { app, to, by }))
        // By which `heroku apps:transfer` says that it is only offered.
        return { ...shown(app), state }
      }
      await inTransaction(pool, (tx) =>
        transferApp(tx, { app, to, by, limits: limits() }),
      )
      return shown(await requireApp(pool, app.id))
    },
  )

  /**
   * A team that the caller may give apps to, or the caller: they have it at once. A team's app is
   * also offered to others of its people.
   */
  async function recipient(by: Account, app: App, identity: string) {
    const team = await findTeam(pool, identity)
    if (team) return { to: accountOf(await ownTeam(by, team.id)), isOffered: false }
    const to = await requirePerson(deps, by, identity)
    if (to.id === by.id) return { to, isOffered: false }
    if (app.team && (await standingIn(pool, to.id, app.team.id))) {
      return { to, isOffered: true }
    }
    throw new Problem(
      'invalid_params',
      `${to.email} does not belong to the app's team: take the app yourself and offer it from there.`,
    )
  }

  /** Admins and members of a team may make apps of it. */
  async function ownTeam(account: Account, identity: string): Promise<Team> {
    const team = await findTeam(pool, identity)
    const standing = team && (await standingIn(pool, account.id, team.id))
    if (!standing) throw new Problem('not_found', `Couldn't find that team.`)
    if (standing.role !== 'collaborator') return team
    throw new Problem('forbidden', 'You must be a member of this team to do that.')
  }
}

function accountOf({ id, name }: Team): Account {
  return { id, email: emailOfTeam(name) }
}
