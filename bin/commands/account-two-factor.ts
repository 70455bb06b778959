import { readFileSync } from 'node:fs'

import { requireAccount } from '../../src/actions/require-account.ts'
import { setTwoFactor } from '../../src/actions/set-two-factor.ts'
import { secretBox } from '../../src/lib/secret-box.ts'
import { forgetTwoFactor } from '../../src/store/two-factors.ts'
import { dataNamed, ofAccount } from './arguments.ts'
import { audited } from './audit-command.ts'
import { withDatabase } from './with-database.ts'

/** What is secret alone goes to standard output, so that it can go on into a file. */
export async function accountTwoFactor(args: string[]): Promise<void> {
  const { values, email } = ofAccount(args, {
    remove: { type: 'boolean', default: false },
  })
  await withDatabase(values.data, async (pool) => {
    const account = await requireAccount(pool, email)
    if (values.remove) {
      const removed = await audited(
        pool,
        'account:two-factor --remove',
        { account: email },
        (tx) => forgetTwoFactor(tx, account.id),
      )
      console.log(
        removed ? `${email} has no second factor any more.` : `${email} has none.`,
      )
      return
    }
    const secrets = secretBox(readFileSync(dataNamed(values.data).keys.configVars))
    const { url, recoveryCodes } = await audited(
      pool,
      'account:two-factor',
      { account: email },
      (tx) => setTwoFactor(tx, account, secrets),
    )
    console.error(
      `mayfly: ${email} logs in with a code from now on. This is for an authenticator, and below it are recovery codes, good once each; all of it is told this once:`,
    )
    console.log([url, ...recoveryCodes].join('\n'))
  })
}
