import type { Account } from '../model/app.ts'
import { newToken } from '../model/token.ts'
import type { Queryable } from '../store/queryable.ts'
import { createAuthorization } from './create-authorization.ts'

/** A token for everything, without an end; told to nobody but the caller. */
export async function issueToken(tx: Queryable, account: Account): Promise<string> {
  const token = newToken()
  await createAuthorization(tx, { account, token, description: 'Made by the operator' })
  return token
}
