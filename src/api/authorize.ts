/**
 * The one layer that says who may call which route. What a route is about is in its
 * parameters: `:app` is an app, `:team` a team; or its `config.appOf` says. What its body
 * names its handler asks for here.
 */

import type { FastifyRequest } from 'fastify'

import type { Permission } from '../model/access.ts'
import type { Account } from '../model/app.ts'
import { Problem } from '../model/problem.ts'
import { isRead, needOf } from '../model/route-needs.ts'
import { demandOf, scopeAllows } from '../model/scope.ts'
import type { Queryable } from '../store/queryable.ts'
import {
  type AppStanding,
  standingIn,
  standingOn,
  type TeamStanding,
} from '../store/standings.ts'

/**
 * Sets `request.standing`; a Problem where the caller may not see the noun, or may not do that.
 * From then on the noun goes by its id: by the time that the handler looks it up, its name may
 * be another's.
 */
export async function authorize(db: Queryable, request: FastifyRequest): Promise<void> {
  const { account, method } = request
  const { url, config } = request.routeOptions
  // No such endpoint: that is the answer.
  if (url === undefined) return
  if (!scopeAllows(request.scope, demandOf(method, url, config.secrets))) {
    throw new Problem('forbidden', `This token's scope does not allow that.`)
  }
  // Where it was asked before, that app is meant, whatever it is called by now.
  const before: AppStanding | undefined = request.standing
  const { app = before?.app ?? config.appOf?.(request), team } = request.params as Nouns
  if (app !== undefined) {
    const needs = config.needs ?? needOf(method, url)
    request.standing = await requireStanding(db, account, app, needs)
    pin(request, { app: request.standing.app })
  } else if (team !== undefined) {
    const needs = isRead(method) || config.needs === 'view' ? 'view' : 'manage'
    pin(request, { team: (await requireTeamStanding(db, account, team, needs)).team })
  }
}

interface Nouns {
  readonly app?: string
  readonly team?: string
}

function pin(request: FastifyRequest, ids: Nouns): void {
  const params = request.params as Record<string, string>
  request.asked ??= { ...params }
  for (const [noun, id] of Object.entries(ids)) if (noun in params) params[noun] = id
}

/** A Problem `not_found` where the account may not see the app, `forbidden` without the permission. */
export async function requireStanding(
  db: Queryable,
  account: Account,
  app: string,
  needs: Permission,
): Promise<AppStanding> {
  const standing = await standingOn(db, account.id, app)
  if (!standing) throw new Problem('not_found', `Couldn't find that app.`)
  mustHave(standing, needs)
  return standing
}

export function mustHave(standing: AppStanding, needs: Permission): void {
  if (standing.permissions.includes(needs)) return
  throw new Problem(
    'forbidden',
    `You do not have the ${needs} permission on this app, which that needs.`,
  )
}

/**
 * Everyone of a team may view it, its admins manage it. A Problem `not_found` where the account is not of it,
 * `forbidden` where it would have to be an admin.
 */
export async function requireTeamStanding(
  db: Queryable,
  account: Account,
  team: string,
  needs: 'view' | 'manage',
): Promise<TeamStanding> {
  const standing = await standingIn(db, account.id, team)
  if (!standing) throw new Problem('not_found', `Couldn't find that team.`)
  if (needs === 'manage' && standing.role !== 'admin') {
    throw new Problem('forbidden', 'You must be an admin of this team to do that.')
  }
  return standing
}
