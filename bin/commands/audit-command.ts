import { userInfo } from 'node:os'

import { writeAudit } from '../../src/store/audit.ts'
import type { Queryable } from '../../src/store/queryable.ts'

/**
 * Has the audit log tell of what an operator did by a command on this machine: who came by sudo, or
 * whose the process is. To be called where it is done, so that there is neither without the other.
 */
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
