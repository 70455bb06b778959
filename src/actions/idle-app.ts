import type { AppId } from '../model/ids.ts'
import { wakeFormations } from '../store/app-formations.ts'
import { markIdle } from '../store/idling.ts'
import type { Queryable } from '../store/queryable.ts'
import { wakeRouter } from '../store/regions.ts'

/**
 * Sends the app to sleep: the manager stops its dynos, the router wakes it for the next
 * request. Says false where it slept already.
 */
export async function idleApp(
  tx: Queryable,
  app: { readonly id: AppId; readonly region: string },
  at: Date,
): Promise<boolean> {
  if (!(await markIdle(tx, app.id, at))) return false
  await wakeFormations(tx, app)
  await wakeRouter(tx, app.region)
  return true
}
