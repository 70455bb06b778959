/**
 * Every route that the server has, as every kind of caller. Requests that are let through end
 * before their handlers: this is about who may, and nothing is changed. A new route fails
 * here until it has a row.
 */

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { before, suite, test } from 'node:test'

import type { FastifyInstance } from 'fastify'

import { anApi } from '../../test/an-api.ts'
import { aTenancy, type Caller, CALLERS, type Tenancy } from '../../test/a-tenancy.ts'
import { aDatabase } from '../../test/postgres.ts'
import { listing, wholeServer } from '../../test/whole-server.ts'

/** What a route asks of who calls it. */
type Asks =
  | 'nothing'
  | 'a token'
  | 'global scope'
  | 'identity'
  | 'read scope'
  | 'write scope'
  | 'team: view'
  | 'team: view, global scope'
  | 'team: manage'
  | `${'view' | 'deploy' | 'operate' | 'manage'}${'' | ', protected' | ', global scope'}`

const rows: Readonly<Record<string, Asks>> = {
  'GET /health': 'nothing',
  'POST /auth': 'nothing',
  'GET /auth/browser': 'nothing',
  'POST /auth/browser': 'nothing',
  'GET /auth/cli/:login': 'nothing',
  'GET /builds/:token/output': 'nothing',
  'GET /releases/:token/output': 'nothing',
  'GET /sources/:token': 'nothing',
  'PUT /sources/:token': 'nothing',

  'GET /account': 'identity',
  'PATCH /account': 'global scope',
  'GET /account/features': 'identity',
  'GET /account/features/:feature': 'identity',
  'PATCH /account/features/:feature': 'global scope',
  'GET /account/keys': 'identity',
  'GET /account/rate-limits': 'identity',
  'GET /users/~': 'identity',
  'PATCH /users/~': 'global scope',

  'GET /oauth/authorizations': 'global scope',
  'POST /oauth/authorizations': 'global scope',
  'GET /oauth/authorizations/:authorization': 'global scope',
  'PATCH /oauth/authorizations/:authorization': 'global scope',
  'DELETE /oauth/authorizations/:authorization': 'global scope',
  'POST /oauth/authorizations/:authorization/actions/regenerate-tokens': 'global scope',
  'DELETE /oauth/sessions/:session': 'global scope',

  'GET /addons': 'read scope',
  'GET /addon-attachments': 'read scope',
  'GET /dyno-sizes': 'read scope',
  'GET /dyno-sizes/:size': 'read scope',
  // Beyond that its handler wants the operator.
  'GET /metrics': 'read scope',
  'GET /pipelines': 'read scope',
  'GET /regions': 'read scope',
  'GET /regions/:region': 'read scope',
  'GET /spaces': 'read scope',
  'GET /stacks': 'read scope',
  'GET /stacks/:stack': 'read scope',

  // Of heroku ps:exec, which names the app otherwise.
  'GET /api/v2': 'operate, protected',
  'PUT /api/v2/:dyno': 'operate, protected',

  'GET /apps': 'read scope',
  'GET /users/~/apps': 'read scope',
  'POST /apps': 'write scope',
  'POST /sources': 'write scope',
  'GET /account/app-transfers': 'read scope',
  'POST /account/app-transfers': 'global scope',
  'GET /account/app-transfers/:transfer': 'read scope',
  'PATCH /account/app-transfers/:transfer': 'global scope',
  'DELETE /account/app-transfers/:transfer': 'global scope',

  'GET /teams': 'read scope',
  'POST /teams': 'global scope',
  'GET /teams/permissions': 'read scope',
  'POST /teams/apps': 'write scope',
  'GET /teams/:team': 'team: view',
  'DELETE /teams/:team': 'team: manage',
  'GET /teams/:team/apps': 'team: view',
  'GET /teams/:team/features': 'team: view',
  'GET /teams/:team/members': 'team: view',
  'PUT /teams/:team/members': 'team: manage',
  'POST /teams/:team/members': 'team: manage',
  'PATCH /teams/:team/members': 'team: manage',
  // Everybody may leave: the handler asks who it is about.
  'DELETE /teams/:team/members/:member': 'team: view, global scope',
  'GET /teams/apps/:app': 'view',
  'PATCH /teams/apps/:app': 'manage, global scope',
  'GET /teams/apps/:app/collaborators': 'view',
  'GET /teams/apps/:app/collaborators/:collaborator': 'view',
  // Members join by themselves, and everybody may leave: the handler asks who it is about.
  'POST /teams/apps/:app/collaborators': 'view, global scope',
  'DELETE /teams/apps/:app/collaborators/:collaborator': 'view, global scope',
  'PATCH /teams/apps/:app/collaborators/:collaborator': 'manage, global scope',

  'GET /apps/:app': 'view',
  'PATCH /apps/:app': 'operate',
  'DELETE /apps/:app': 'manage',
  'POST /apps/:app/acm': 'operate',
  'PATCH /apps/:app/acm': 'operate',
  'DELETE /apps/:app/acm': 'operate',
  'GET /apps/:app/addon-attachments': 'view',
  'GET /apps/:app/addon-attachments/:it': 'view',
  'PATCH /apps/:app/addon-attachments/:it': 'operate',
  'GET /apps/:app/addons': 'view',
  'GET /apps/:app/addons/:it': 'view',
  'PATCH /apps/:app/addons/:it': 'operate',
  'GET /apps/:app/available-dyno-sizes': 'view',
  'GET /apps/:app/available-stacks': 'view',
  'DELETE /apps/:app/build-cache': 'deploy',
  'GET /apps/:app/buildpack-installations': 'view',
  'PUT /apps/:app/buildpack-installations': 'deploy, protected',
  'GET /apps/:app/builds': 'view',
  'POST /apps/:app/builds': 'deploy, protected',
  'GET /apps/:app/builds/:build': 'view',
  'DELETE /apps/:app/builds/:build': 'deploy',
  'GET /apps/:app/collaborators': 'view',
  'GET /apps/:app/collaborators/:collaborator': 'view',
  'POST /apps/:app/collaborators': 'view, global scope',
  'DELETE /apps/:app/collaborators/:collaborator': 'view, global scope',
  'GET /apps/:app/config-vars': 'deploy, protected',
  'PATCH /apps/:app/config-vars': 'deploy, protected',
  'GET /apps/:app/domains': 'view',
  'GET /apps/:app/domains/:domain': 'view',
  'POST /apps/:app/domains': 'operate',
  'PATCH /apps/:app/domains/:domain': 'operate',
  'DELETE /apps/:app/domains/:domain': 'operate',
  'GET /apps/:app/dynos': 'view',
  'POST /apps/:app/dynos': 'operate, protected',
  'DELETE /apps/:app/dynos': 'operate',
  'GET /apps/:app/dynos/:dyno': 'view',
  'POST /apps/:app/dynos/:dyno': 'operate, protected',
  'DELETE /apps/:app/dynos/:dyno': 'operate',
  'POST /apps/:app/dynos/:dyno/actions/stop': 'operate',
  'GET /apps/:app/events': 'view',
  'GET /apps/:app/features': 'view',
  'GET /apps/:app/features/:feature': 'view',
  'PATCH /apps/:app/features/:feature': 'operate',
  'GET /apps/:app/router-metrics/:metric': 'view',
  'GET /apps/:app/formation': 'view',
  'PATCH /apps/:app/formation': 'operate',
  'GET /apps/:app/formation/:formation': 'view',
  'GET /apps/:app/formation/:formation/metrics/errors': 'view',
  'GET /apps/:app/formation/:formation/monitors': 'view',
  'POST /apps/:app/formation/:formation/monitors': 'operate',
  'PATCH /apps/:app/formation/:formation/monitors/:monitor': 'operate',
  'PATCH /apps/:app/formation/:formation': 'operate',
  'DELETE /apps/:app/formations/:type': 'operate',
  'POST /apps/:app/formations/:type/actions/stop': 'operate',
  'GET /apps/:app/log-drains': 'view',
  'POST /apps/:app/log-sessions': 'view',
  'GET /apps/:app/pipeline-couplings': 'view',
  'PATCH /apps/:app/pipeline-couplings': 'operate',
  'GET /apps/:app/releases': 'view',
  'POST /apps/:app/releases': 'deploy, protected',
  'GET /apps/:app/releases/:release': 'view',
  'GET /apps/:app/releases/:release/config-vars': 'deploy, protected',
  'GET /apps/:app/slugs/:slug': 'view',
  'GET /apps/:app/sni-endpoints': 'view',
  'POST /apps/:app/sni-endpoints': 'operate',
  'GET /apps/:app/sni-endpoints/:endpoint': 'view',
  'PATCH /apps/:app/sni-endpoints/:endpoint': 'operate',
  'DELETE /apps/:app/sni-endpoints/:endpoint': 'operate',
  'POST /apps/:app/sources': 'deploy',
  'GET /apps/:app/webhook-deliveries': 'view',
  'GET /apps/:app/webhook-deliveries/:delivery': 'view',
  'GET /apps/:app/webhook-events': 'view',
  'GET /apps/:app/webhook-events/:event': 'view',
  'GET /apps/:app/webhooks': 'view',
  'POST /apps/:app/webhooks': 'operate',
  'GET /apps/:app/webhooks/:webhook': 'view',
  'PATCH /apps/:app/webhooks/:webhook': 'operate',
  'DELETE /apps/:app/webhooks/:webhook': 'operate',
}

const LET_THROUGH = 299

/** On a personal app, and for all that belongs to no app or team. */
const PERSONAL = ['owner', 'collaborator', 'another tenant'] as const
/** On a team's app and the team itself. */
const OF_TEAM = [
  'team admin',
  'team member',
  'team collaborator: deploy',
  'another tenant',
] as const
type Place = 'personal app' | 'team app' | 'locked team app'

function expected(asks: Asks, method: string, caller: Caller, place: Place): number {
  if (asks === 'nothing') return LET_THROUGH
  if (['no token', 'bad token', 'expired token'].includes(caller)) return 401
  const read = method === 'GET'
  if (caller === 'read-only token' || caller === 'identity token') {
    if (asks === 'identity') return LET_THROUGH
    if (caller === 'identity token' || !read) return 403
    return asks === 'global scope' || asks.endsWith('protected') ? 403 : LET_THROUGH
  }
  if (caller === 'write token') {
    if (asks === 'identity') return LET_THROUGH
    return /global scope|team: manage|protected/.test(asks) ? 403 : LET_THROUGH
  }
  if (asks.startsWith('team: ')) {
    if (caller === 'another tenant') return 404
    return asks.startsWith('team: view') || caller === 'team admin' ? LET_THROUGH : 403
  }
  const [permission = ''] = asks.split(', ')
  if (!['view', 'deploy', 'operate', 'manage'].includes(permission)) return LET_THROUGH
  const has = permissionsOf(caller, place)
  if (!has) return 404
  return has.includes(permission) ? LET_THROUGH : 403
}

function permissionsOf(caller: Caller, place: Place): readonly string[] | undefined {
  const ordinary = ['view', 'deploy', 'operate']
  const all = [...ordinary, 'manage']
  if (place === 'personal app') {
    if (caller === 'owner') return all
    return caller === 'collaborator' ? ordinary : undefined
  }
  if (caller === 'team admin') return all
  if (caller === 'team member') return place === 'team app' ? ordinary : []
  return caller === 'team collaborator: deploy' && place === 'team app'
    ? ['view', 'deploy']
    : undefined
}

/** Ends what is let through before it is handled. */
const endingEarly = wholeServer(async (server) => {
  server.addHook('onRequest', async (_request, reply) => {
    await reply.status(LET_THROUGH).send({})
  })
})

suite('the matrix of routes and callers', () => {
  const pool = aDatabase()
  const routes: string[] = []
  let server: FastifyInstance
  let tenancy: Tenancy

  before(async () => {
    const api = await anApi(pool, {
      before: [listing(routes), endingEarly],
      allowance: { requestsPerHour: 1e9 },
    })
    server = api.server
    tenancy = await aTenancy(pool)
  })

  test('every route has a row, and every row a route', () => {
    const known = Object.keys(rows)
    const without = routes.filter((it) => !known.includes(it))
    assert.deepEqual(
      without,
      [],
      `these routes have no row in rows of ${import.meta.filename}: say there what each asks of who calls it, as 'view', 'deploy', 'operate', 'manage' for what is below an :app (add ", protected" where an app's secrets come with it)`,
    )
    assert.deepEqual(
      known.filter((it) => !routes.includes(it)),
      [],
      'these rows are of no route',
    )
  })

  for (const caller of CALLERS) {
    test(`as ${caller}`, async () => {
      const wrong: string[] = []
      for (const [route, asks] of Object.entries(rows)) {
        const [method = '', url = ''] = route.split(' ')
        for (const place of placesOf(asks, caller)) {
          const status = await ask(method, url, caller, place)
          const wanted = expected(asks, method, caller, place)
          if (status === wanted) continue
          wrong.push(`${route} (${place}): ${status}, not ${wanted}`)
        }
      }
      assert.deepEqual(wrong, [])
    })
  }

  async function ask(method: string, url: string, caller: Caller, place: Place) {
    const token = tenancy.tokens[caller]
    const reply = await server.inject({
      method: method as 'GET',
      url: url
        .replace(':app', tenancy.apps[place])
        .replace(':team', tenancy.team)
        .replace(/:\w+/g, randomUUID()),
      headers: {
        accept: 'application/vnd.heroku+json; version=3',
        // Where no parameter says which app it is about, the user does.
        ...(token !== undefined && { authorization: basic(tenancy.apps[place], token) }),
      },
    })
    return reply.statusCode
  }
})

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

function placesOf(asks: Asks, caller: Caller): readonly Place[] {
  const personal = PERSONAL.some((it) => it === caller)
  const ofTeam = OF_TEAM.some((it) => it === caller)
  if (/^(view|deploy|operate|manage)/.test(asks)) {
    return [
      ...(personal || !ofTeam ? (['personal app'] as const) : []),
      ...(ofTeam ? (['team app', 'locked team app'] as const) : []),
    ]
  }
  if (asks.startsWith('team:')) return ofTeam || !personal ? ['team app'] : []
  return ['personal app']
}
