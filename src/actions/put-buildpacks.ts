import type { App } from '../model/app.ts'
import { Problem } from '../model/problem.ts'
import { lockApp } from '../store/apps.ts'
import { replaceBuildpacks } from '../store/buildpack-installations.ts'
import type { Queryable } from '../store/queryable.ts'

/** What the app's next build uses, in this order: URLs or built-in names. */
export async function putBuildpacks(
  tx: Queryable,
  app: App,
  urls: readonly string[],
): Promise<void> {
  if (!(await lockApp(tx, app.id))) {
    throw new Problem('not_found', `Couldn't find that app.`)
  }
  const blank = urls.some((url) => !/^[^\s\0]+$/.test(url))
  if (blank) throw new Problem('invalid_params', 'A buildpack is named by a URL.')
  await replaceBuildpacks(tx, app.id, urls)
}
