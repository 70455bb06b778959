import { ORDINARY } from '../model/access.ts'
import type { Account, App } from '../model/app.ts'
import { newId } from '../model/ids.ts'
import type { Limits } from '../model/limits.ts'
import { Problem } from '../model/problem.ts'
import { withdrawTransfers } from '../store/app-transfers.ts'
import { changeOwner } from '../store/apps.ts'
import {
  addCollaborator,
  findCollaborator,
  removeCollaborator,
  removeCollaborators,
} from '../store/collaborators.ts'
import { writeWish } from '../store/events.ts'
import type { Queryable } from '../store/queryable.ts'
import { lockOwnedApp } from './lock-owned-app.ts'
import { mustTakeOneMoreApp } from './must-take-one-more-app.ts'

export interface Transfer {
  readonly app: App
  /** An account, or the one that a team is. */
  readonly to: Account
  readonly by: Account
  readonly limits: Limits
}

/**
 * The app has another owner at once. A person who gave it away stays as a collaborator; when
 * a team gives it to a person, all who were let in are out, as `heroku apps:transfer` says.
 */
export async function transferApp(
  tx: Queryable,
  { app, to, by, limits }: Transfer,
): Promise<void> {
  if (to.id === app.owner.id) {
    throw new Problem('invalid_params', `${to.email} owns the app already.`)
  }
  // The app first, as where it is offered.
  await lockOwnedApp(tx, app)
  await mustTakeOneMoreApp(tx, to, limits)
  await changeOwner(tx, app.id, to.id)
  await withdrawTransfers(tx, app.id)
  if (app.team) await removeCollaborators(tx, app.id)
  else await keepAsCollaborator(tx, app)
  const already = await findCollaborator(tx, app.id, to.id)
  if (already) await removeCollaborator(tx, already.id)
  const message = `Transferred to ${to.email} by user ${by.email}`
  await writeWish(tx, { app: app.id, kind: 'app.transferred', message })
}

async function keepAsCollaborator(tx: Queryable, { id, owner }: App): Promise<void> {
  await addCollaborator(tx, {
    id: newId(),
    app: id,
    account: owner.id,
    permissions: ORDINARY,
  })
}
