import { removePassword } from '../../src/actions/set-password.ts'
import { requireAccount } from '../../src/actions/require-account.ts'
import { removeAuthorizations } from '../../src/store/accounts.ts'
import { ofAccount } from './arguments.ts'
import { audited } from './audit-command.ts'
import { withDatabase } from './with-database.ts'

/** For who has left, or whose token is in the wrong hands: no way in is left. Their apps and dynos stay. */
export async function accountRevoke(args: string[]): Promise<void> {
  const { values, email } = ofAccount(args, {})
  const said = await withDatabase(values.data, (pool) =>
    audited(pool, 'account:revoke', { account: email }, async (tx) => {
      const account = await requireAccount(tx, email)
      // First: what a login under way makes before this is done is revoked with the others.
      const hadPassword = await removePassword(tx, account)
      const revoked = await removeAuthorizations(tx, account.id)
      return `${revoked} tokens of ${email} are revoked${hadPassword ? ', and so is the password' : ''}.`
    }),
  )
  console.log(said)
}
