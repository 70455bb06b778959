/**
 * The page on which somebody logs in for a CLI. Nothing but a form: its one-time token says
 * which login it is about, and its headers that it was sent from here.
 */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'

import { Problem } from '../../model/problem.ts'
import { digestOf } from '../../model/token.ts'
import {
  type BrowserLogin,
  browserLoginOfPage,
  moveBrowserLogin,
} from '../../store/browser-logins.ts'
import { inTransaction, type Queryable } from '../../store/queryable.ts'
import type { ApiDeps } from '../deps.ts'
import { byCode, isStillGood, logIn, type LogIn } from '../log-in.ts'
import { loginPage, noticePage, PAGE_HEADERS } from '../login-page.ts'

const LARGEST_FORM = 8 * 1024

const PageQuery = Type.Object({ login: Type.String({ maxLength: 100 }) })
const Form = Type.Object({
  login: Type.String({ maxLength: 100 }),
  email: Type.Optional(Type.String()),
  password: Type.Optional(Type.String()),
  code: Type.Optional(Type.String()),
  refuse: Type.Optional(Type.String()),
})

const OPEN = { open: true } as const
const WRONG_PASSWORD = {
  status: 401,
  fault: 'That address and that password do not go together.',
}

export const loginPages: FastifyPluginAsyncTypebox<ApiDeps> = async (server, deps) => {
  const { pool } = deps

  server.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: LARGEST_FORM },
    async (_request: FastifyRequest, body: string) =>
      Object.fromEntries(new URLSearchParams(body)),
  )

  server.get(
    '/auth/browser',
    { schema: { querystring: PageQuery }, config: OPEN },
    async ({ query }, reply) => {
      const { login: pageToken } = query
      const login = await browserLoginOfPage(pool, digestOf(pageToken))
      if (!login) return sendOver(reply)
      return send(reply, 200, loginPage({ login, pageToken }))
    },
  )

  server.post(
    '/auth/browser',
    { schema: { body: Form }, config: OPEN },
    async (request, reply) => {
      if (!isOfThisOrigin(request)) {
        const sentence = 'That form was not sent from this page: nothing was done.'
        return send(reply, 403, noticePage('Not from here', sentence))
      }
      const { login: pageToken, email } = request.body
      const login = await browserLoginOfPage(pool, digestOf(pageToken))
      if (!login) return sendOver(reply)
      const { status, fault } = await takeForm(login, request, request.body)
      const now = await browserLoginOfPage(pool, digestOf(pageToken))
      if (!now) return sendOver(reply)
      return send(reply, status, loginPage({ login: now, pageToken, fault, email }))
    },
  )

  /** Moves the login on, if what was given is right. */
  async function takeForm(
    login: BrowserLogin,
    request: FastifyRequest,
    form: Static<typeof Form>,
  ): Promise<{ readonly status: number; readonly fault?: string }> {
    if (form.refuse !== undefined) {
      await moveBrowserLogin(pool, login.id, { state: 'refused' })
      return { status: 200 }
    }
    const isOpen = login.state === 'asked' || login.state === 'password given'
    if (!isOpen) return { status: 409 }
    try {
      const came = await logInOf(login, request.client, form)
      request.logIn = came
      return await inTransaction(pool, (tx) => moveOn(tx, login, came))
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      return { status: error.status, fault: error.message }
    }
  }

  async function logInOf(
    { account }: BrowserLogin,
    address: string,
    { email = '', password = '', code = '' }: Static<typeof Form>,
  ): Promise<LogIn> {
    return account
      ? byCode(deps, { account, code, address })
      : logIn(deps, { email, password, code: undefined, address })
  }
}

async function moveOn(
  tx: Queryable,
  { id }: BrowserLogin,
  came: LogIn,
): Promise<{ readonly status: number; readonly fault?: string }> {
  const { outcome, account } = came
  switch (outcome) {
    case 'wrong password':
      return WRONG_PASSWORD
    case 'wrong code':
      return { status: 403, fault: 'That code is wrong, or was used before.' }
    case 'code missing':
      if (!(await isStillGood(tx, came))) return WRONG_PASSWORD
      await moveBrowserLogin(tx, id, { state: 'password given', account: account.id })
      return { status: 403 }
    case 'password':
      if (!(await isStillGood(tx, came))) return WRONG_PASSWORD
      await moveBrowserLogin(tx, id, { state: 'granted', account: account.id })
      return { status: 200 }
    case 'code':
    case 'recovery code':
      // Whose password is changed or taken meanwhile is not about to log in any more.
      await moveBrowserLogin(tx, id, { state: 'granted', account: account.id })
      return { status: 200 }
  }
}

/** Every browser says where a form comes from. By host: before us may be what ends TLS. */
function isOfThisOrigin({ headers, host }: FastifyRequest): boolean {
  const { origin = '', 'sec-fetch-site': site = 'same-origin' } = headers
  return site === 'same-origin' && URL.parse(origin)?.host === host
}

function sendOver(reply: FastifyReply): FastifyReply {
  const sentence = 'This login is over, or its time is up. Run heroku login again.'
  return send(reply, 404, noticePage('Over', sentence))
}

function send(reply: FastifyReply, status: number, html: string): FastifyReply {
  return reply.status(status).headers(PAGE_HEADERS).send(html)
}
