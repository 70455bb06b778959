import type { App } from '../model/app.ts'
import { Problem } from '../model/problem.ts'
import { findApp } from '../store/apps.ts'
import type { Queryable } from '../store/queryable.ts'
import { lockPresentApp } from './lock-present-app.ts'

/**
 * `lockPresentApp` for what is decided by the app itself: returns it as it is now, which may be otherwise
 * than when the caller was let through.
 */
export async function lockLatestApp(
  tx: Queryable,
  { id }: Pick<App, 'id'>,
): Promise<App> {
  await lockPresentApp(tx, id)
  const now = await findApp(tx, id)
  if (!now) throw new Problem('not_found', `Couldn't find that app.`)
  return now
}
