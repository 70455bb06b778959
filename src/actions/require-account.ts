import type { Account } from '../model/app.ts'
import { Problem } from '../model/problem.ts'
import { findAccount } from '../store/accounts.ts'
import type { Queryable } from '../store/queryable.ts'

/** By id or address; a Problem `invalid_params` where there is none: nobody is invited by mail. */
export async function requireAccount(db: Queryable, identity: string): Promise<Account> {
  const account = await findAccount(db, identity)
  if (account) return account
  throw new Problem(
    'invalid_params',
    `There is no account ${identity}. Whoever runs Mayfly makes one: ./mayfly account:create`,
  )
}
