import type { AppId } from '../model/ids.ts'
import { Problem } from '../model/problem.ts'
import { lockApp } from '../store/apps.ts'
import type { Queryable } from '../store/queryable.ts'

/** `lockApp`, with a Problem `not_found` where the app is gone. */
export async function lockPresentApp(tx: Queryable, id: AppId): Promise<void> {
  if (!(await lockApp(tx, id))) throw new Problem('not_found', `Couldn't find that app.`)
}
