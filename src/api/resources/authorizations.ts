import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'

import { makeAuthorization } from '../../actions/make-authorization.ts'
import { later, SECOND } from '../../lib/clock.ts'
import type { Account } from '../../model/app.ts'
import { newId } from '../../model/ids.ts'
import { Problem } from '../../model/problem.ts'
import { SCOPES } from '../../model/scope.ts'
import { digestOf, newToken, tokenIn } from '../../model/token.ts'
import {
  type Authorization,
  authorizationsOf,
  describeAuthorization,
  findAuthorization,
  removeAuthorization,
  rotateAuthorization,
} from '../../store/accounts.ts'
import { inTransaction } from '../../store/queryable.ts'
import { authenticateUntilEnd } from '../authenticate.ts'
import type { ApiDeps } from '../deps.ts'
import { sendPart } from '../range.ts'

const Params = Type.Object({ authorization: Type.String() })
const Creation = Type.Object({
  description: Type.Optional(Type.Union([Type.String({ maxLength: 200 }), Type.Null()])),
  /** Seconds. The CLI sends it as a string. */
  expires_in: Type.Optional(
    Type.Union([
      Type.Integer({ minimum: 1, maximum: 9_999_999_999 }),
      Type.String({ pattern: '^[1-9]\\d{0,9}$' }),
      Type.Null(),
    ]),
  ),
  scope: Type.Optional(Type.Array(Type.Enum([...SCOPES]), { minItems: 1 })),
})
const Change = Type.Object({
  description: Type.Optional(Type.String({ maxLength: 200 })),
})

export const authorizations: FastifyPluginAsyncTypebox<ApiDeps> = async (
  server,
  { pool, clock },
) => {
  server.get('/oauth/authorizations', async (request, reply) => {
    const all = await authorizationsOf(pool, request.account.id)
    return sendPart(
      reply,
      all.map((it) => ({
        ...serializeAuthorization(it, request.account),
        access_token: logsOut(it, request) ? redacted(request) : null,
      })),
    )
  })

  // Also what `heroku login -i` asks, with an e-mail address and a password, or with an API key
  // as the password.
  server.post(
    '/oauth/authorizations',
    { schema: { body: Creation }, config: { passwords: true } },
    async (request, reply) => {
      const { account, body } = request
      const token = newToken()
      const id = newId<'authorization'>()
      const { description, expires_in: seconds, scope = ['global'] } = body
      const expiresAt = seconds ? later(clock.now(), Number(seconds) * SECOND) : null
      await inTransaction(pool, async (tx) => {
        await authenticateUntilEnd(tx, request)
        await makeAuthorization(tx, {
          id,
          account: account.id,
          sha256: digestOf(token),
          description: description ?? 'Long-lived user authorization',
          scope: [...new Set(scope)],
          expiresAt,
          // What has no end is a program's, whoever had it made.
          byLogin: request.authorization === undefined && expiresAt !== null,
        })
      })
      const made = await find(account, id)
      return reply.status(201).send(withToken(made, account, token))
    },
  )

  server.get(
    '/oauth/authorizations/:authorization',
    { schema: { params: Params } },
    async (request) => serializeAuthorization(await asked(request), request.account),
  )

  server.patch(
    '/oauth/authorizations/:authorization',
    { schema: { params: Params, body: Change } },
    async (request) => {
      const { account, body } = request
      const { id } = await asked(request)
      if (body.description !== undefined) {
        await describeAuthorization(pool, id, body.description)
      }
      return serializeAuthorization(await find(account, id), account)
    },
  )

  server.delete(
    '/oauth/authorizations/:authorization',
    { schema: { params: Params } },
    async (request) => {
      const it = await asked(request)
      await removeAuthorization(pool, request.account.id, it.id)
      return serializeAuthorization(it, request.account)
    },
  )

  server.post(
    '/oauth/authorizations/:authorization/actions/regenerate-tokens',
    { schema: { params: Params } },
    async (request) => {
      const { id } = await asked(request)
      const token = newToken()
      await inTransaction(pool, async (tx) => {
        await authenticateUntilEnd(tx, request)
        await rotateAuthorization(tx, id, digestOf(token))
      })
      return withToken(await find(request.account, id), request.account, token)
    },
  )

  // What `heroku logout` asks for first. There are no browser sessions here.
  server.delete('/oauth/sessions/:session', async () => {
    throw new Problem('not_found', `Couldn't find that session.`, {
      resource: 'session',
    })
  })

  /** `~` is the one whose token the request carries. */
  async function asked(request: {
    readonly account: Account
    readonly authorization: Authorization['id']
    readonly params: { readonly authorization: string }
  }): Promise<Authorization> {
    const { authorization } = request.params
    const id = authorization === '~' ? request.authorization : authorization
    return find(request.account, id)
  }

  async function find(account: Account, id: string): Promise<Authorization> {
    const found = await findAuthorization(pool, account.id, id)
    if (!found) throw new Problem('not_found', `Couldn't find that authorization.`)
    return found
  }

  /** The only time that the token itself is told: a digest is all we keep. */
  function withToken(it: Authorization, account: Account, token: string) {
    const left = it.expiresAt && it.expiresAt.getTime() - clock.now().getTime()
    const expires_in = left === null ? null : Math.round(left / SECOND)
    const access_token = { expires_in, id: it.id as string, token }
    return { ...serializeAuthorization(it, account), access_token }
  }
}

interface Carrying {
  readonly authorization: Authorization['id']
  readonly headers: { readonly authorization?: string | undefined }
}

/** `heroku logout` revokes the token it has: one that a login made, and so one that expires. */
function logsOut(it: Authorization, { authorization }: Carrying): boolean {
  return it.id === authorization && it.expiresAt !== null
}

/** As the CLI knows its own token: by the beginning and the end. */
function redacted({ authorization, headers }: Carrying) {
  const token = tokenIn(headers.authorization) ?? ''
  const shown = `${token.slice(0, 8)}**********${token.slice(-4)}`
  return { expires_in: null, id: authorization as string, token: shown }
}

function serializeAuthorization(it: Authorization, account: Account) {
  return {
    access_token: null,
    client: null,
    created_at: it.createdAt.toISOString(),
    description: it.description,
    grant: null,
    id: it.id as string,
    refresh_token: null,
    scope: it.scope,
    session: null,
    updated_at: it.updatedAt.toISOString(),
    user: { id: account.id as string, email: account.email, full_name: null },
  }
}
