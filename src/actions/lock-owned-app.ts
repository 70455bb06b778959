import type { App } from '../model/app.ts'
import { Problem } from '../model/problem.ts'
import type { Queryable } from '../store/queryable.ts'
import { lockLatestApp } from './lock-latest-app.ts'

/**
 * `lockLatestApp` for what only an owner says of an app: with a Problem `conflict` where the one
 * for whom the caller was let through has given it away meanwhile. What was written then, the new
 * owner would know nothing of. Returns the app as it is now.
 */
export async function lockOwnedApp(tx: Queryable, app: App): Promise<App> {
  const now = await lockLatestApp(tx, app)
  if (now.owner.id !== app.owner.id) {
    throw new Problem('conflict', 'The app has just got another owner.')
  }
  return now
}
