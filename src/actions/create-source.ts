import { randomBytes } from 'node:crypto'

import { type AccountId, newId } from '../model/ids.ts'
import { Problem } from '../model/problem.ts'
import type { Queryable } from '../store/queryable.ts'
import { addSource, type Source, uploadsOf } from '../store/sources.ts'

/** Each may have a gigabyte, and stays for a day if no build is made of it. */
const MOST_UPLOADS = 20

/**
 * Makes room for a source tree to be uploaded. Its tokens let their holders write and read it. The
 * Problem `rate_limit` if the account has too many that are still there.
 */
export async function createSource(tx: Queryable, account: AccountId): Promise<Source> {
  if ((await uploadsOf(tx, account)) >= MOST_UPLOADS) {
    throw new Problem(
      'rate_limit',
      `You have ${MOST_UPLOADS} uploads that no build has used up. Make builds of them, or wait a day.`,
    )
  }
  const source = {
    id: newId<'source'>(),
    account,
    putToken: token(),
    getToken: token(),
    uploadedAt: null,
  }
  await addSource(tx, source)
  return source
}

function token(): string {
  return randomBytes(24).toString('base64url')
}
