import type { App } from '../model/app.ts'
import { requestClearCache } from '../store/build-caches.ts'
import type { Queryable } from '../store/queryable.ts'
import { lockPresentApp } from './lock-present-app.ts'

/** Notes the wish: a build that runs keeps its cache, the next one begins with none. */
export async function clearBuildCache(tx: Queryable, app: App): Promise<void> {
  await lockPresentApp(tx, app.id)
  await requestClearCache(tx, app.id)
}
