import { randomBytes } from 'node:crypto'

import { HOUR, MINUTE } from '../lib/clock.ts'
import { type AccountId, newId } from '../model/ids.ts'
import { Problem } from '../model/problem.ts'
import { UPLOAD_KEPT } from '../model/source.ts'
import type { Queryable } from '../store/queryable.ts'
import { addSource, lockToAddSource, type Source } from '../store/sources.ts'

/** Of an account, each as large as `sourceBounds` has it. */
const MOST_UPLOADS = 20

/** From its making on so long may an upload be begun, however many were, and then take. */
export const UPLOAD_WITHIN = HOUR

/**
 * Makes room for a source tree to be uploaded. Its tokens let their holders write and read it. The
 * Problem `rate_limit` if the account has too many that are still there, or may still come.
 */
export async function createSource(tx: Queryable, account: AccountId): Promise<Source> {
  if ((await lockToAddSource(tx, account)) >= MOST_UPLOADS) {
    throw new Problem(
      'rate_limit',
      `You have ${MOST_UPLOADS} uploads that no build has used up, or sources that may still be uploaded to. Make builds of them, or wait: ${UPLOAD_WITHIN / MINUTE} minutes for an empty one, ${UPLOAD_KEPT / HOUR} hours for an upload.`,
    )
  }
  const source = {
    id: newId<'source'>(),
    account,
    putToken: token(),
    getToken: token(),
    uploadedAt: null,
  }
  await addSource(tx, source, UPLOAD_WITHIN)
  return source
}

function token(): string {
  return randomBytes(24).toString('base64url')
}
