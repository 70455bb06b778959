import { hashPassword } from '../lib/password-hash.ts'
import type { Account } from '../model/app.ts'
import { faultOfPassword } from '../model/password.ts'
import { Problem } from '../model/problem.ts'
import { forgetBrowserLogins } from '../store/browser-logins.ts'
import { forgetPassword, keepPassword } from '../store/passwords.ts'
import type { Queryable } from '../store/queryable.ts'

/** What becomes of a new password; a Problem `invalid_params` where it is none. Not for a transaction: it takes its time. */
export async function hashOfNew(account: Account, password: string): Promise<string> {
  mustBePassword(account, password)
  return hashPassword(password)
}

export function mustBePassword({ email }: Account, password: string): void {
  const fault = faultOfPassword(password, email)
  if (fault) throw new Problem('invalid_params', fault)
}

/** Instead of the one there was, if any. Tokens stay good. */
export async function setPassword(
  tx: Queryable,
  account: Account,
  hash: string,
): Promise<void> {
  await keepPassword(tx, account.id, hash)
  await forgetBrowserLogins(tx, account.id)
}

/** Says false where there was none. */
export async function removePassword(tx: Queryable, account: Account): Promise<boolean> {
  // First: a login that moves on at this moment has done so before, or does not.
  const hadOne = await forgetPassword(tx, account.id)
  await forgetBrowserLogins(tx, account.id)
  return hadOne
}
