import type { AppId } from '../model/ids.ts'
import { wakeFormations } from '../store/app-formations.ts'
import { markAwake } from '../store/idling.ts'
import type { Queryable } from '../store/queryable.ts'
import { wakeRouter } from '../store/regions.ts'

/** Ends the app's sleep. Says false, and has cost one statement, where it is awake or gone. */
export async function wakeApp(tx: Queryable, id: AppId, at: Date): Promise<boolean> {
  const region = await markAwake(tx, id, at)
  if (region === undefined) return false
  await wakeFormations(tx, { id, region })
  await wakeRouter(tx, region)
  return true
}
