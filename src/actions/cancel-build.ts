import type { App } from '../model/app.ts'
import type { BuildId } from '../model/ids.ts'
import { Problem } from '../model/problem.ts'
import { requestCancel } from '../store/builds.ts'
import type { Queryable } from '../store/queryable.ts'
import { wake } from '../store/work.ts'

/** Notes the wish; the manager ends the build. A Problem `conflict` where it has ended. */
export async function cancelBuild(
  tx: Queryable,
  app: Pick<App, 'region'>,
  build: BuildId,
): Promise<void> {
  if (!(await requestCancel(tx, build))) {
    throw new Problem('conflict', 'That build has ended already.')
  }
  await wake(tx, { kind: 'build', subject: build, region: app.region })
}
