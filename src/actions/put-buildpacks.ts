import type { App } from '../model/app.ts'
import { Problem } from '../model/problem.ts'
import { replaceBuildpacks } from '../store/buildpack-installations.ts'
import type { Queryable } from '../store/queryable.ts'
import { lockPresentApp } from './lock-present-app.ts'

/** What the app's next build uses, in this order: URLs or built-in names. */
export async function putBuildpacks(
  tx: Queryable,
  app: App,
  urls: readonly string[],
): Promise<void> {
  await lockPresentApp(tx, app.id)
  const blank = urls.some((url) => !/^[^\s\0]+$/.test(url))
  if (blank) throw new Problem('invalid_params', 'A buildpack is named by a URL.')
  await replaceBuildpacks(tx, app.id, urls)
}
