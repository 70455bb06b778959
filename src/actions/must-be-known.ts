import type { App } from '../model/app.ts'
import { Problem } from '../model/problem.ts'
import type { WhichDynos } from '../store/app-dynos.ts'
import { findFormation } from '../store/app-formations.ts'
import type { Queryable } from '../store/queryable.ts'

/** Of dynos of which none was found: a Problem `not_found` where that can't be. */
export async function mustBeKnown(
  tx: Queryable,
  app: App,
  which: WhichDynos,
): Promise<void> {
  if ('dyno' in which) throw new Problem('not_found', `Couldn't find that dyno.`)
  if ('type' in which && !(await findFormation(tx, app.id, which.type))) {
    throw new Problem('not_found', `Couldn't find that process type (${which.type}).`)
  }
}
