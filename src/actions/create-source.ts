import { randomBytes } from 'node:crypto'

import { type AccountId, newId } from '../model/ids.ts'
import type { Queryable } from '../store/queryable.ts'
import { addSource, type Source } from '../store/sources.ts'

/** Makes room for a source tree to be uploaded. Its tokens let their holders write and read it. */
export async function createSource(tx: Queryable, account: AccountId): Promise<Source> {
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
