import { randomBytes } from 'node:crypto'

import { HOUR, MINUTE } from '../lib/clock.ts'
import { type AccountId, newId, type SourceId } from '../model/ids.ts'
import { Problem } from '../model/problem.ts'
import { UPLOAD_KEPT } from '../model/source.ts'
import { digestOf } from '../model/token.ts'
import type { Queryable } from '../store/queryable.ts'
import { addSource, lockToAddSource } from '../store/sources.ts'

/** Of an account, each as large as `sourceBounds` has it. */
const MOST_UPLOADS = 20

/** From its making on so long may an upload be begun, however many were, and then take. */
export const UPLOAD_WITHIN = HOUR

export interface CreatedSource {
  readonly id: SourceId
  /** They let their holders write and read it. Only their digests are kept. */
  readonly putToken: string
  readonly getToken: string
}

/**
 * Makes room for a source tree to be uploaded. The Problem `rate_limit` if the account has too many that are still there, or may still come.
 */
export async function createSource(
  tx: Queryable,
  account: AccountId,
): Promise<CreatedSource> {
  if ((await lockToAddSource(tx, account)) >= MOST_UPLOADS) {
    throw new Problem(
      'rate_limit',
      `You have ${MOST_UPLOADS} uploads that no build has used up, or sources that may still be uploaded to. Make builds of them, or wait: ${UPLOAD_WITHIN / MINUTE} minutes for an empty one, ${UPLOAD_KEPT / HOUR} hours for an upload.`,
    )
  }
  const source = { id: newId<'source'>(), putToken: token(), getToken: token() }
  const { id, putToken, getToken } = source
  await addSource(
    tx,
    {
      id,
      account,
      putTokenSha256: digestOf(putToken),
      getTokenSha256: digestOf(getToken),
    },
    UPLOAD_WITHIN,
  )
  return source
}

function token(): string {
  return randomBytes(24).toString('base64url')
}
