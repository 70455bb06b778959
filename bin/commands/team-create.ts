import { createTeam } from '../../src/actions/create-team.ts'
import { requireAccount } from '../../src/actions/require-account.ts'
import { Refusal } from '../../src/installation/refusal.ts'
import { dataOption, onlyOne, parsed } from './arguments.ts'
import { audited } from './audit-command.ts'
import { withDatabase } from './with-database.ts'

export async function teamCreate(args: string[]): Promise<void> {
  const { values, positionals } = parsed({
    args,
    options: { ...dataOption, admin: { type: 'string' } },
    allowPositionals: true,
  })
  const name = onlyOne(positionals, 'the name of the team')
  const { admin } = values
  if (admin === undefined) {
    throw new Refusal('--admin names the account that is to be the first admin.', 2)
  }
  await withDatabase(values.data, (pool) =>
    audited(pool, 'team:create', { team: name, account: admin }, async (tx) =>
      createTeam(tx, { name, admin: await requireAccount(tx, admin) }),
    ),
  )
  console.log(`${admin} is an admin of the team ${name}.`)
}
