/**
 * `heroku login` in a browser. The CLI begins a login, opens a page, and waits for what comes
 * of it; whoever logs in on the page grants it. All of it lies in the database, so the API may
 * restart meanwhile. These routes need no token: the CLI and the page have one each that is
 * good for this login alone.
 */

import { Readable } from 'node:stream'

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'

import { beginBrowserLogin } from '../../actions/begin-browser-login.ts'
import { untilGone } from '../../lib/until-gone.ts'
import { isUuid } from '../../model/ids.ts'
import { Problem } from '../../model/problem.ts'
import { digestOf, tokenIn } from '../../model/token.ts'
import {
  type BrowserLogin,
  browserLoginOfCli,
  type BrowserLoginId,
} from '../../store/browser-logins.ts'
import { inTransaction } from '../../store/queryable.ts'
import { awaitBrowserLogin } from '../await-browser-login.ts'
import type { ApiDeps } from '../deps.ts'

const LARGEST_BODY = 8 * 1024

const Beginning = Type.Object({
  description: Type.Optional(Type.String({ maxLength: 1000 })),
})
const CliParams = Type.Object({ login: Type.String() })
export const browserLogins: FastifyPluginAsyncTypebox<ApiDeps> = async (server, deps) => {
  const { pool, clock, attempts } = deps
  /** Which logins are waited for: whoever asks again takes the place of who asked before. */
  const waiting = new Map<BrowserLoginId, AbortController>()

  server.post(
    '/auth',
    { schema: { body: Beginning }, config: { open: true }, bodyLimit: LARGEST_BODY },
    async ({ body, client: address }, reply) => {
      attempts.begin(address)
      const { description = '' } = body
      const { id, cliToken, pageToken } = await inTransaction(pool, (tx) =>
        beginBrowserLogin(tx, clock, { description, address }),
      )
      return reply
        .status(201)
        .header('cache-control', 'no-store')
        .send({
          // Of the same host; a query is in no log of ours.
          browser_url: `/auth/browser?login=${pageToken}`,
          cli_url: `/auth/cli/${id}`,
          token: cliToken,
        })
    },
  )

  server.get(
    '/auth/cli/:login',
    { schema: { params: CliParams }, config: { open: true }, exposeHeadRoute: false },
    async (request, reply) => {
      const { id } = await requireLoginOfCli(request)
      const gone = untilGone(reply.raw)
      // It has taken nobody's place, and would keep its own for good.
      if (gone.aborted) return reply.hijack()
      waiting.get(id)?.abort()
      const replaced = new AbortController()
      waiting.set(id, replaced)
      gone.addEventListener('abort', () => {
        if (waiting.get(id) === replaced) waiting.delete(id)
      })
      const outcome = awaitBrowserLogin(deps, {
        look: () => browserLoginOfCli(pool, id, cliDigestIn(request)),
        by: { address: request.client, request: request.id },
        signal: AbortSignal.any([gone, replaced.signal]),
      })
      return reply
        .type('application/json; charset=utf-8')
        .header('cache-control', 'no-store')
        .send(Readable.from(outcome))
    },
  )

  async function requireLoginOfCli(
    request: FastifyRequest & { readonly params: Static<typeof CliParams> },
  ): Promise<BrowserLogin> {
    const { login: id } = request.params
    const login =
      isUuid(id) &&
      (await browserLoginOfCli(pool, id as BrowserLoginId, cliDigestIn(request)))
    if (login) return login
    throw new Problem('unauthorized', 'There is no such login, or it is over.')
  }
}

function cliDigestIn({ headers }: FastifyRequest): Buffer {
  return digestOf(tokenIn(headers.authorization) ?? '')
}
