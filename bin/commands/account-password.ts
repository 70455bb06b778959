import { requireAccount } from '../../src/actions/require-account.ts'
import { hashOfNew, removePassword, setPassword } from '../../src/actions/set-password.ts'
import { ofAccount } from './arguments.ts'
import { audited } from './audit-command.ts'
import { readPassword } from './read-password.ts'
import { withDatabase } from './with-database.ts'

/** Gives an account a password, its first or another, or takes it away. */
export async function accountPassword(args: string[]): Promise<void> {
  const { values, email } = ofAccount(args, {
    remove: { type: 'boolean', default: false },
  })
  await withDatabase(values.data, async (pool) => {
    const account = await requireAccount(pool, email)
    if (values.remove) {
      const removed = await audited(
        pool,
        'account:password --remove',
        { account: email },
        (tx) => removePassword(tx, account),
      )
      console.log(removed ? `${email} has no password any more.` : `${email} has none.`)
      return
    }
    const hash = await hashOfNew(account, await readPassword(email))
    await audited(pool, 'account:password', { account: email }, (tx) =>
      setPassword(tx, account, hash),
    )
    console.log(`${email} has this password now. Tokens stay good.`)
  })
}
