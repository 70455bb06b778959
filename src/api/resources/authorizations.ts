import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'

import type { Account } from '../../model/app.ts'
import { Problem } from '../../model/problem.ts'
import { digestOf, tokenIn } from '../../model/token.ts'
import {
  type Authorization,
  authorizationOfToken,
  authorizationsOf,
  removeAuthorization,
} from '../../store/accounts.ts'
import type { Deps } from '../deps.ts'
import { sendPart } from '../range.ts'

const Params = Type.Object({ authorization: Type.String() })

export const authorizations: FastifyPluginAsyncTypebox<Deps> = async (
  server,
  { pool },
) => {
  server.get('/oauth/authorizations', async (request, reply) => {
    const all = await authorizationsOf(pool, request.account.id)
    return sendPart(
      request,
      reply,
      all.map((it) => serializeAuthorization(it, request.account)),
    )
  })

  server.get(
    '/oauth/authorizations/:authorization',
    { schema: { params: Params } },
    async (request) =>
      serializeAuthorization(
        await requireAuthorization(
          request.account,
          request.params.authorization,
          request.headers.authorization,
        ),
        request.account,
      ),
  )

  server.delete(
    '/oauth/authorizations/:authorization',
    { schema: { params: Params } },
    async (request) => {
      const { account, params, headers } = request
      const it = await requireAuthorization(
        account,
        params.authorization,
        headers.authorization,
      )
      await removeAuthorization(pool, account.id, it.id)
      return serializeAuthorization(it, account)
    },
  )

  // What `heroku logout` asks for first. There are no browser sessions here.
  server.delete('/oauth/sessions/:session', async () => {
    throw new Problem('not_found', `Couldn't find that session.`)
  })

  /** `~` is the one whose token the request carries. */
  async function requireAuthorization(
    account: Account,
    identity: string,
    header: string | undefined,
  ): Promise<Authorization> {
    const found =
      identity === '~'
        ? await authorizationOfToken(pool, digestOf(tokenIn(header) ?? ''))
        : (await authorizationsOf(pool, account.id)).find((it) => it.id === identity)
    if (!found) throw new Problem('not_found', `Couldn't find that authorization.`)
    return found
  }
}

/** The token itself is known only to its owner: a digest is all we keep. */
function serializeAuthorization(it: Authorization, account: Account) {
  return {
    access_token: null,
    client: null,
    created_at: it.createdAt.toISOString(),
    description: it.description,
    grant: null,
    id: it.id,
    refresh_token: null,
    scope: ['global'],
    session: null,
    updated_at: it.updatedAt.toISOString(),
    user: { id: account.id, email: account.email, full_name: null },
  }
}
