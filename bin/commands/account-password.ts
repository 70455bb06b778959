import { requireAccount } from '../../src/actions/require-account.ts'
import { hashOfNew, removePassword, setPassword } from '../../src/actions/set-password.ts'
import { inTransaction } from '../../src/store/queryable.ts'
import { ofAccount } from './arguments.ts'
import { auditCommand } from './audit-command.ts'
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
      const removed = await inTransaction(pool, async (tx) => {
        await auditCommand(tx, 'account:password --remove', { account: email })
        return removePassword(tx, account)
      })
      console.log(removed ? `${email} has no password any more.` : `${email} has none.`)
      return
    }
    const hash = await hashOfNew(account, await readPassword(email))
    await inTransaction(pool, async (tx) => {
      await auditCommand(tx, 'account:password', { account: email })
      await setPassword(tx, account, hash)
    })
    console.log(`${email} has this password now. Tokens stay good.`)
  })
}
