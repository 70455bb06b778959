/** Each of Heroku's scopes, as the only one of a token of the app's owner, on routes that tell them apart. */

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { before, suite, test } from 'node:test'

import type { FastifyInstance } from 'fastify'

import { anApi } from '../../test/an-api.ts'
import { aTenancy, aToken, type Tenancy } from '../../test/a-tenancy.ts'
import { aDatabase } from '../../test/postgres.ts'
import { wholeServer } from '../../test/whole-server.ts'
import { type Scope, SCOPES } from '../model/scope.ts'

const LET_THROUGH = 299
const NONE: readonly Scope[] = []

const READ: readonly Scope[] = ['read', 'read-protected', 'write', 'write-protected']
const WRITE: readonly Scope[] = ['write', 'write-protected']
/** Who may beside `global`. */
const rows: Readonly<Record<string, readonly Scope[]>> = {
  'GET /account': ['identity', ...READ],
  'PATCH /account': NONE,
  'GET /apps': READ,
  'POST /apps': WRITE,
  'GET /apps/:app': READ,
  'PATCH /apps/:app': WRITE,
  'DELETE /apps/:app': WRITE,
  'GET /apps/:app/releases': READ,
  'POST /apps/:app/releases': ['write-protected'],
  'GET /apps/:app/config-vars': ['read-protected', 'write-protected'],
  'PATCH /apps/:app/config-vars': ['write-protected'],
  'GET /apps/:app/releases/:it/config-vars': ['read-protected', 'write-protected'],
  'POST /apps/:app/builds': ['write-protected'],
  'POST /apps/:app/dynos': ['write-protected'],
  'DELETE /apps/:app/dynos': WRITE,
  'PATCH /apps/:app/formation': WRITE,
  'POST /apps/:app/log-sessions': WRITE,
  'GET /apps/:app/collaborators': READ,
  'POST /apps/:app/collaborators': NONE,
  'GET /teams/:team/members': READ,
  'PUT /teams/:team/members': NONE,
  'GET /oauth/authorizations': NONE,
  'POST /oauth/authorizations': NONE,
}

/** Ends what is let through before it is handled. */
const endingEarly = wholeServer(async (server) => {
  server.addHook('onRequest', async (_request, reply) => {
    await reply.status(LET_THROUGH).send({})
  })
})

suite('scopes', () => {
  const pool = aDatabase()
  let server: FastifyInstance
  let tenancy: Tenancy

  before(async () => {
    ;({ server } = await anApi(pool, { before: [endingEarly] }))
    tenancy = await aTenancy(pool)
  })

  for (const scope of SCOPES) {
    test(scope, async () => {
      const token = await aToken(pool, tenancy.accounts.owner, { scope: [scope] })
      const wrong: string[] = []
      for (const [route, may] of Object.entries(rows)) {
        const wanted = scope === 'global' || may.includes(scope) ? LET_THROUGH : 403
        const status = await ask(route, token)
        if (status !== wanted) wrong.push(`${route}: ${status}, not ${wanted}`)
      }
      assert.deepEqual(wrong, [])
    })
  }

  async function ask(route: string, token: string): Promise<number> {
    const [method = '', url = ''] = route.split(' ')
    const reply = await server.inject({
      method: method as 'GET',
      url: url
        .replace(':app', tenancy.apps['personal app'])
        .replace(':team', tenancy.team)
        .replace(/:\w+/g, randomUUID()),
      headers: {
        accept: 'application/vnd.heroku+json; version=3',
        authorization: `Bearer ${token}`,
      },
    })
    return reply.statusCode
  }
})
