import { openAccount } from '../../src/actions/open-account.ts'
import { ofAccount } from './arguments.ts'
import { audited } from './audit-command.ts'
import { withDatabase } from './with-database.ts'

/** The token alone goes to standard output, so that it can go on into a file. */
export async function accountCreate(args: string[]): Promise<void> {
  const { values, email } = ofAccount(args, { name: { type: 'string' } })
  const token = await withDatabase(values.data, (pool) =>
    audited(pool, 'account:create', { account: email }, (tx) =>
      openAccount(tx, { email, name: values.name ?? null }),
    ),
  )
  console.error(`mayfly: ${email} has an account; this is its token, told this once:`)
  console.log(token)
}
