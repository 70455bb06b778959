import type { Account, App } from '../model/app.ts'
import { Problem } from '../model/problem.ts'
import { setLocked } from '../store/apps.ts'
import { writeWish } from '../store/events.ts'
import type { Queryable } from '../store/queryable.ts'
import { lockOwnedApp } from './lock-owned-app.ts'

/** On a locked app members may only do what they were given. */
export async function setAppLocked(
  tx: Queryable,
  app: App,
  { locked, by }: { readonly locked: boolean; readonly by: Account },
): Promise<App> {
  if (!app.team) throw new Problem('invalid_params', `Only a team's app can be locked.`)
  const before = await lockOwnedApp(tx, app)
  const updatedAt = (await setLocked(tx, app.id, locked)) ?? before.updatedAt
  const message = `${locked ? 'Locked' : 'Unlocked'} by user ${by.email}`
  await writeWish(tx, { app: app.id, kind: 'access.changed', message })
  return { ...before, locked, updatedAt }
}
