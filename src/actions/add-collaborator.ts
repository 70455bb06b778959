import { type Permission, withView } from '../model/access.ts'
import type { Account, App } from '../model/app.ts'
import { newId } from '../model/ids.ts'
import { Problem } from '../model/problem.ts'
import {
  addCollaborator as add,
  type Collaborator,
  findCollaborator,
} from '../store/collaborators.ts'
import { writeWish } from '../store/events.ts'
import type { Queryable } from '../store/queryable.ts'
import { standingOn } from '../store/standings.ts'
import { lockTeam } from '../store/teams.ts'
import { lockOwnedApp } from './lock-owned-app.ts'

export interface CollaboratorWish {
  readonly app: App
  readonly account: Account
  readonly permissions: readonly Permission[]
  /** Who lets them in. */
  readonly by: Account
}

/** Makes the account a collaborator of the app. */
export async function addCollaborator(
  tx: Queryable,
  wish: CollaboratorWish,
): Promise<Collaborator> {
  const { app, account, by } = wish
  await lockOwnedApp(tx, app)
  await mustStillKnow(tx, app, by)
  if (account.id === app.owner.id) {
    throw new Problem('invalid_params', `${account.email} owns the app.`)
  }
  const permissions = withView(wish.permissions)
  const added = {
    id: newId<'collaborator'>(),
    app: app.id,
    account: account.id,
    permissions,
  }
  if (!(await add(tx, added))) {
    throw new Problem('invalid_params', `${account.email} is already a collaborator.`)
  }
  const message = `Let in ${account.email} by user ${by.email}`
  await writeWish(tx, { app: app.id, kind: 'access.changed', message })
  return presentCollaborator(tx, app, account.id)
}

/** Whoever is taken out of a team is out of all its apps: they do not join one meanwhile. */
async function mustStillKnow(tx: Queryable, app: App, by: Account): Promise<void> {
  if (!app.team) return
  await lockTeam(tx, app.team.id)
  if (await standingOn(tx, by.id, app.id)) return
  throw new Problem('not_found', `Couldn't find that app.`)
}

export async function presentCollaborator(
  tx: Queryable,
  app: App,
  account: string,
): Promise<Collaborator> {
  const found = await findCollaborator(tx, app.id, account)
  if (!found) throw new Problem('not_found', `Couldn't find that collaborator.`)
  return found
}
