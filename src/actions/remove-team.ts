import type { TeamId } from '../model/ids.ts'
import { Problem } from '../model/problem.ts'
import type { Queryable } from '../store/queryable.ts'
import { lockToRemoveTeam, ownsApps, removeTeam as remove } from '../store/teams.ts'

/** A Problem `invalid_params` while it has apps; none is given to it meanwhile (`mustTakeOneMoreApp`). */
export async function removeTeam(tx: Queryable, id: TeamId): Promise<void> {
  await lockToRemoveTeam(tx, id)
  if (await ownsApps(tx, id)) {
    throw new Problem('invalid_params', 'Transfer or destroy the team’s apps first.')
  }
  await remove(tx, id)
}
