import { requireAccount } from '../../src/actions/require-account.ts'
import { removeAuthorizations } from '../../src/store/accounts.ts'
import { dataOption, onlyOne, parsed } from './arguments.ts'
import { withDatabase } from './with-database.ts'

/** For who has left, or whose token is in the wrong hands. Their apps and dynos stay. */
export async function accountRevoke(args: string[]): Promise<void> {
  const { values, positionals } = parsed({
    args,
    options: dataOption,
    allowPositionals: true,
  })
  const email = onlyOne(positionals, 'the e-mail address of the account')
  const revoked = await withDatabase(values.data, async (pool) =>
    removeAuthorizations(pool, (await requireAccount(pool, email)).id),
  )
  console.log(`${revoked} tokens of ${email} are revoked.`)
}
