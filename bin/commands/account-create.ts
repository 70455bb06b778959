import { openAccount } from '../../src/actions/open-account.ts'
import { inTransaction } from '../../src/store/queryable.ts'
import { ofAccount } from './arguments.ts'
import { auditCommand } from './audit-command.ts'
import { withDatabase } from './with-database.ts'

/** The token alone goes to standard output, so that it can go on into a file. */
export async function accountCreate(args: string[]): Promise<void> {
  const { values, email } = ofAccount(args, { name: { type: 'string' } })
  const token = await withDatabase(values.data, (pool) =>
    inTransaction(pool, async (tx) => {
      const made = await openAccount(tx, { email, name: values.name ?? null })
      await auditCommand(tx, 'account:create', { account: email })
      return made
    }),
  )
  console.error(`mayfly: ${email} has an account; this is its token, told this once:`)
  console.log(token)
}
