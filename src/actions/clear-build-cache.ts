import type { App } from '../model/app.ts'
import { Problem } from '../model/problem.ts'
import { lockApp } from '../store/apps.ts'
import { requestClearCache } from '../store/build-caches.ts'
import type { Queryable } from '../store/queryable.ts'

/** Notes the wish: a build that runs keeps its cache, the next one begins with none. */
export async function clearBuildCache(tx: Queryable, app: App): Promise<void> {
  if (!(await lockApp(tx, app.id))) {
    throw new Problem('not_found', `Couldn't find that app.`)
  }
  await requestClearCache(tx, app.id)
}
