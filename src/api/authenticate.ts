import type { FastifyRequest } from 'fastify'

import { Problem } from '../model/problem.ts'
import { digestOf, tokenIn } from '../model/token.ts'
import { accountOfToken } from '../store/accounts.ts'
import type { Queryable } from '../store/queryable.ts'

/** Sets `request.account` and `request.tokenDigest`; a Problem `unauthorized` where the token is missing or unknown. */
export async function authenticate(
  db: Queryable,
  request: FastifyRequest,
): Promise<void> {
  const token = tokenIn(request.headers.authorization)
  const digest = token && digestOf(token)
  const account = digest && (await accountOfToken(db, digest))
  if (!account) throw new Problem('unauthorized', 'Invalid credentials provided.')
  request.account = account
  request.tokenDigest = digest.toString('hex')
}
