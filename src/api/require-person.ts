import { requireAccount } from '../actions/require-account.ts'
import type { Account } from '../model/app.ts'
import type { ApiDeps } from './deps.ts'

/**
 * The account that a request names, by id or address; the Problem `invalid_params` where there
 * is none, `rate_limit` for who has named too many that are none: nobody is to learn by trying
 * who has an account here.
 */
export async function requirePerson(
  { pool, attempts }: Pick<ApiDeps, 'pool' | 'attempts'>,
  by: Account,
  identity: string,
): Promise<Account> {
  const giveBack = attempts.name(by.id)
  const account = await requireAccount(pool, identity)
  giveBack()
  return account
}
