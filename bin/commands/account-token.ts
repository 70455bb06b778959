import { issueToken } from '../../src/actions/issue-token.ts'
import { requireAccount } from '../../src/actions/require-account.ts'
import { ofAccount } from './arguments.ts'
import { audited } from './audit-command.ts'
import { withDatabase } from './with-database.ts'

/** For who has lost theirs. The others stay good: `heroku authorizations:revoke` ends them. */
export async function accountToken(args: string[]): Promise<void> {
  const { values, email } = ofAccount(args, {})
  const token = await withDatabase(values.data, (pool) =>
    audited(pool, 'account:token', { account: email }, async (tx) =>
      issueToken(tx, await requireAccount(tx, email)),
    ),
  )
  console.error(`mayfly: this is another token of ${email}, told this once:`)
  console.log(token)
}
