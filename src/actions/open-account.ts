import { faultOfEmail } from '../model/app.ts'
import { Problem } from '../model/problem.ts'
import { isEmailOfTeam } from '../model/team.ts'
import { findAccount } from '../store/accounts.ts'
import type { Queryable } from '../store/queryable.ts'
import { createAccount } from './create-account.ts'
import { issueToken } from './issue-token.ts'

/** A new account; returns its first token. */
export async function openAccount(
  tx: Queryable,
  wish: { readonly email: string; readonly name: string | null },
): Promise<string> {
  const email = wish.email.toLowerCase()
  const fault = faultOfEmail(email)
  if (fault) throw new Problem('invalid_params', fault)
  if (isEmailOfTeam(email)) {
    throw new Problem(
      'invalid_params',
      `${email} would be a team's: ./mayfly team:create`,
    )
  }
  if (await findAccount(tx, email)) {
    throw new Problem(
      'invalid_params',
      `${email} has an account already; ./mayfly account:token ${email} makes another token.`,
    )
  }
  return issueToken(tx, await createAccount(tx, { email, name: wish.name }))
}
