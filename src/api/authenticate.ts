import type { FastifyRequest } from 'fastify'

import { Problem } from '../model/problem.ts'
import { digestOf, tokenIn } from '../model/token.ts'
import { accountOfToken } from '../store/accounts.ts'
import type { Queryable } from '../store/queryable.ts'

/** Sets whose token the request carries and what that is good for; a Problem `unauthorized` where the token is missing or unknown. */
export async function authenticate(
  db: Queryable,
  request: FastifyRequest,
): Promise<void> {
  const token = tokenIn(request.headers.authorization)
  const digest = token && digestOf(token)
  const bearer = digest && (await accountOfToken(db, digest))
  if (!bearer) throw new Problem('unauthorized', 'Invalid credentials provided.')
  request.account = { id: bearer.id, email: bearer.email }
  request.authorization = bearer.authorization
  request.scope = bearer.scope
}
