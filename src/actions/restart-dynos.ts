import type { Account, App } from '../model/app.ts'
import { describeDynos, requestRestart, type WhichDynos } from '../store/app-dynos.ts'
import { wakeFormations } from '../store/app-formations.ts'
import { writeWish } from '../store/events.ts'
import type { Queryable } from '../store/queryable.ts'
import { mustBeKnown } from './must-be-known.ts'

/**
 * Notes the wish and wakes the manager: nothing has restarted when this returns. That an app
 * or a process type has no dyno is no problem; that a dyno asked for by name isn't there, is.
 * One-offs are left alone.
 */
export async function restartDynos(
  tx: Queryable,
  app: App,
  which: WhichDynos,
  account: Account,
): Promise<void> {
  const { formations } = await requestRestart(tx, app.id, which)
  if (formations.length === 0) await mustBeKnown(tx, app, which)
  const message = `Restart ${describeDynos(which)} by user ${account.email}`
  await writeWish(tx, { app: app.id, kind: 'restart.requested', message })
  await wakeFormations(tx, app, formations)
}
