import { type Permission, withView } from '../model/access.ts'
import type { Account, App } from '../model/app.ts'
import { newId } from '../model/ids.ts'
import { Problem } from '../model/problem.ts'
import {
  addCollaborator,
  changePermissions,
  type Collaborator,
  findCollaborator,
} from '../store/collaborators.ts'
import { writeWish } from '../store/events.ts'
import type { Queryable } from '../store/queryable.ts'
import { standingOn } from '../store/standings.ts'
import { lockTeam } from '../store/teams.ts'
import { lockOwnedApp } from './lock-owned-app.ts'

export interface LettingIn {
  readonly app: App
  readonly account: Account
  readonly permissions: readonly Permission[]
  /** Who lets them in. */
  readonly by: Account
}

/** Makes the account a collaborator of the app. */
export async function letIn(tx: Queryable, wish: LettingIn): Promise<Collaborator> {
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
  if (!(await addCollaborator(tx, added))) {
    throw new Problem('invalid_params', `${account.email} is already a collaborator.`)
  }
  await tell(tx, app, `Let in ${account.email} by user ${by.email}`)
  return present(tx, app, account.id)
}

/** Whoever is taken out of a team is out of all its apps: they do not join one meanwhile. */
async function mustStillKnow(tx: Queryable, app: App, by: Account): Promise<void> {
  if (!app.team) return
  await lockTeam(tx, app.team.id)
  if (await standingOn(tx, by.id, app.id)) return
  throw new Problem('not_found', `Couldn't find that app.`)
}

export async function permit(
  tx: Queryable,
  app: App,
  { collaborator, permissions, by }: Permitting,
): Promise<Collaborator> {
  await lockOwnedApp(tx, app)
  const granted = withView(permissions)
  await changePermissions(tx, collaborator.id, granted)
  const { email } = collaborator.account
  await tell(tx, app, `Gave ${email} ${granted.join(', ')} by user ${by.email}`)
  return present(tx, app, collaborator.account.id)
}

export interface Permitting {
  readonly collaborator: Collaborator
  readonly permissions: readonly Permission[]
  readonly by: Account
}

async function tell(tx: Queryable, app: App, message: string): Promise<void> {
  await writeWish(tx, { app: app.id, kind: 'access.changed', message })
}

async function present(tx: Queryable, app: App, account: string): Promise<Collaborator> {
  const found = await findCollaborator(tx, app.id, account)
  if (!found) throw new Problem('not_found', `Couldn't find that collaborator.`)
  return found
}
