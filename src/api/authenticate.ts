import type { FastifyRequest } from 'fastify'

import type { Account } from '../model/app.ts'
import { Problem } from '../model/problem.ts'
import { digestOf, pairIn, tokenIn } from '../model/token.ts'
import { accountOfToken, type Bearer, lockAuthorizations } from '../store/accounts.ts'
import type { Queryable } from '../store/queryable.ts'
import type { ApiDeps } from './deps.ts'
import { isStillGood, type LogIn, logIn } from './log-in.ts'

const CODE = 'heroku-two-factor-code'

/**
 * Sets who calls and what that is good for: by a token, or by a password where the route
 * takes one. A Problem `unauthorized` where what was given is missing or wrong, `two_factor`
 * where a code is, `rate_limit` after too many attempts.
 */
export async function authenticate(
  deps: ApiDeps,
  request: FastifyRequest,
): Promise<void> {
  const bearer = await bearerOf(deps, request)
  if (bearer) {
    request.account = { id: bearer.id, email: bearer.email }
    request.authorization = bearer.authorization
    request.rotations = bearer.rotations
    request.scope = bearer.scope
    return
  }
  const { passwords = false } = request.routeOptions.config
  const pair = passwords && pairIn(request.headers.authorization)
  if (!pair) throw unauthorized()
  await byPassword(deps, request, pair)
}

/** Asks once more for a token that was good; a Problem `unauthorized` where it is not any longer. */
export async function authenticateAgain(
  deps: Asked,
  request: FastifyRequest,
): Promise<void> {
  // A password is asked for once: its code is good only once.
  if (request.authorization === undefined) return
  const bearer = await bearerOf(deps, request)
  if (!bearer) throw unauthorized()
  request.scope = bearer.scope
}

/**
 * `authenticateAgain` for what gives its caller another way in: a token that is revoked or rotated
 * at this moment makes no other, nor does a password that is not the account's any more.
 */
export async function authenticateUntilEnd(
  tx: Queryable,
  request: FastifyRequest,
): Promise<void> {
  const { account, authorization, logIn: came } = request
  if (authorization === undefined && !(came && (await isStillGood(tx, came)))) {
    throw unauthorized()
  }
  await lockAuthorizations(tx, account.id)
  await authenticateAgain({ pool: tx }, request)
}

interface Asked {
  readonly pool: Queryable
}

async function bearerOf(
  { pool }: Asked,
  { headers }: FastifyRequest,
): Promise<Bearer | undefined> {
  const token = tokenIn(headers.authorization)
  return token ? accountOfToken(pool, digestOf(token)) : undefined
}

async function byPassword(
  deps: ApiDeps,
  request: FastifyRequest,
  { user: email, password }: { readonly user: string; readonly password: string },
): Promise<void> {
  const code = codeIn(request)
  const came = await logIn(deps, { email, password, code, address: request.client })
  request.logIn = came
  request.account = mustBeIn(came)
  request.scope = ['global']
}

/** A Problem `unauthorized` after a wrong password, `two_factor` without the right code. */
export function mustBeIn({ outcome, account }: LogIn): Account {
  switch (outcome) {
    case 'wrong password':
      throw unauthorized()
    case 'code missing':
      throw new Problem('two_factor', 'A two-factor code is required.')
    case 'wrong code':
      throw new Problem(
        'two_factor',
        'That two-factor code is wrong, or was used before.',
      )
    case 'password':
    case 'code':
    case 'recovery code':
      return account
  }
}

/** What the CLI sends when it has asked for one. */
export function codeIn({ headers }: FastifyRequest): string | undefined {
  const code = headers[CODE]
  return typeof code === 'string' && code !== '' ? code : undefined
}

function unauthorized(): Problem {
  return new Problem('unauthorized', 'Invalid credentials provided.')
}
