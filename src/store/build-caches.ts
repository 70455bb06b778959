/** Whether an app's build cache is to be empty when its next build begins. */

import type { AppId } from '../model/ids.ts'
import type { Queryable } from './queryable.ts'

export async function requestClearCache(tx: Queryable, app: AppId): Promise<void> {
  await tx.query('update apps set clear_cache = true where id = $1', [app])
}

export async function cacheIsToBeCleared(db: Queryable, app: AppId): Promise<boolean> {
  const { rows } = await db.query('select from apps where id = $1 and clear_cache', [app])
  return rows.length > 0
}

export async function noteCacheCleared(db: Queryable, app: AppId): Promise<void> {
  await db.query('update apps set clear_cache = false where id = $1', [app])
}
