import type { App } from '../model/app.ts'
import { Problem } from '../model/problem.ts'
import { findApp } from '../store/apps.ts'
import type { Queryable } from '../store/queryable.ts'
import { lockPresentApp } from './lock-present-app.ts'

/**
 * `lockPresentApp` for what only an owner says of an app: with a Problem `conflict` where the one
 * for whom the caller was let through has given it away meanwhile. What was written then, the new
 * owner would know nothing of. Returns the app as it is now.
 */
export async function lockOwnedApp(tx: Queryable, app: App): Promise<App> {
  await lockPresentApp(tx, app.id)
  const now = await findApp(tx, app.id)
  if (now?.owner.id !== app.owner.id) {
    throw new Problem('conflict', 'The app has just got another owner.')
  }
  return now
}
