import type { Account, App } from '../model/app.ts'
import {
  type Collaborator,
  removeCollaborator as remove,
} from '../store/collaborators.ts'
import { writeWish } from '../store/events.ts'
import type { Queryable } from '../store/queryable.ts'
import { lockPresentApp } from './lock-present-app.ts'

/** `by`: who does it, the collaborator perhaps. */
export async function removeCollaborator(
  tx: Queryable,
  app: App,
  { collaborator, by }: { readonly collaborator: Collaborator; readonly by: Account },
): Promise<void> {
  await lockPresentApp(tx, app.id)
  await remove(tx, collaborator.id)
  const message = `Shut out ${collaborator.account.email} by user ${by.email}`
  await writeWish(tx, { app: app.id, kind: 'access.changed', message })
}
