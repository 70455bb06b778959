import type { App } from '../model/app.ts'
import { Problem } from '../model/problem.ts'
import { requestRestart, type WhichDynos } from '../store/app-dynos.ts'
import { findFormation, wakeFormations } from '../store/app-formations.ts'
import type { Queryable } from '../store/queryable.ts'

/**
 * Notes the wish and wakes the manager: nothing has restarted when this returns. That an app
 * or a process type has no dyno is no problem; that a dyno asked for by name isn't there, is.
 */
export async function restartDynos(
  tx: Queryable,
  app: App,
  which: WhichDynos,
): Promise<void> {
  const formations = await requestRestart(tx, app.id, which)
  if (formations.length === 0) await mustBeKnown(tx, app, which)
  await wakeFormations(tx, app, formations)
}

async function mustBeKnown(tx: Queryable, app: App, which: WhichDynos): Promise<void> {
  if ('dyno' in which) throw new Problem('not_found', `Couldn't find that dyno.`)
  if ('type' in which && !(await findFormation(tx, app.id, which.type))) {
    throw new Problem('not_found', `Couldn't find that process type (${which.type}).`)
  }
}
