import { userInfo } from 'node:os'

import type { Pool } from 'pg'

import { writeAudit } from '../../src/store/audit.ts'
import { inTransaction, type Queryable } from '../../src/store/queryable.ts'

/** Does it, and has the audit log tell of it, in one transaction: there is neither without the other. */
export function audited<T>(
  pool: Pool,
  command: string,
  nouns: Readonly<Record<string, string>>,
  work: (tx: Queryable) => Promise<T>,
): Promise<T> {
  return inTransaction(pool, async (tx) => {
    const done = await work(tx)
    await auditCommand(tx, command, nouns)
    return done
  })
}

/** By a command on this machine did it who came by sudo, or whose the process is. */
export async function auditCommand(
  db: Queryable,
  command: string,
  nouns: Readonly<Record<string, string>>,
): Promise<void> {
  await writeAudit(db, {
    account: null,
    email: `${process.env['SUDO_USER'] ?? userInfo().username}@localhost`,
    authorization: null,
    address: null,
    request: null,
    method: 'RUN',
    route: `mayfly ${command}`,
    nouns,
    app: null,
    status: 200,
  })
}
