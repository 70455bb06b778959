import { type Permission, withView } from '../model/access.ts'
import type { Account, App } from '../model/app.ts'
import { changePermissions, type Collaborator } from '../store/collaborators.ts'
import { writeWish } from '../store/events.ts'
import type { Queryable } from '../store/queryable.ts'
import { presentCollaborator } from './add-collaborator.ts'
import { lockOwnedApp } from './lock-owned-app.ts'

export interface PermissionsWish {
  readonly collaborator: Collaborator
  readonly permissions: readonly Permission[]
  readonly by: Account
}

export async function setPermissions(
  tx: Queryable,
  app: App,
  { collaborator, permissions, by }: PermissionsWish,
): Promise<Collaborator> {
  await lockOwnedApp(tx, app)
  const granted = withView(permissions)
  await changePermissions(tx, collaborator.id, granted)
  const { email } = collaborator.account
  const message = `Gave ${email} ${granted.join(', ')} by user ${by.email}`
  await writeWish(tx, { app: app.id, kind: 'access.changed', message })
  return presentCollaborator(tx, app, collaborator.account.id)
}
