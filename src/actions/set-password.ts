import { hashPassword } from '../lib/password-hash.ts'
import type { Account } from '../model/app.ts'
import { faultOfPassword } from '../model/password.ts'
import { Problem } from '../model/problem.ts'
import { forgetBrowserLogins } from '../store/browser-logins.ts'
import { forgetPassword, keepPassword } from '../store/passwords.ts'
import type { Queryable } from '../store/queryable.ts'

/** Instead of the one there was, if any. Tokens stay good. */
export async function setPassword(
  tx: Queryable,
  account: Account,
  password: string,
): Promise<void> {
  const fault = faultOfPassword(password, account.email)
  if (fault) throw new Problem('invalid_params', fault)
  await keepPassword(tx, account.id, await hashPassword(password))
  await forgetBrowserLogins(tx, account.id)
}

/** Says false where there was none. */
export async function removePassword(tx: Queryable, account: Account): Promise<boolean> {
  await forgetBrowserLogins(tx, account.id)
  return forgetPassword(tx, account.id)
}
