import { type Account, type App, faultOfName } from '../model/app.ts'
import { Problem } from '../model/problem.ts'
import { findStack } from '../model/stack.ts'
import { changeApp, findApp, lockApp } from '../store/apps.ts'
import { requestClearCache } from '../store/build-caches.ts'
import { writeWish } from '../store/events.ts'
import type { Queryable } from '../store/queryable.ts'
import { wakeEveryRouter } from '../store/regions.ts'

/** What is undefined stays as it is. */
export interface AppChanges {
  readonly name?: string | undefined
  readonly maintenance?: boolean | undefined
  /** By id or name: what the next build uses. */
  readonly stack?: string | undefined
}

/** The app as it was, and as it is now: the same where it was so already, and nothing is written then. */
export async function updateApp(
  tx: Queryable,
  identity: App['id'],
  changes: AppChanges,
  account: Account,
): Promise<{ readonly before: App; readonly after: App }> {
  const app = (await lockApp(tx, identity)) ? await findApp(tx, identity) : undefined
  if (!app) throw new Problem('not_found', `Couldn't find that app.`)

  const { name = app.name, maintenance = app.maintenance, stack = app.stack } = changes
  const fault = faultOfName(name)
  if (fault) throw new Problem('invalid_params', fault)
  const wanted = findStack(stack)
  if (!wanted) throw new Problem('invalid_params', `Couldn't find that stack (${stack}).`)

  const changed = { ...app, name, maintenance, stack: wanted.name }
  const said = describeChange(app, changed)
  if (said === '') return { before: app, after: app }
  const updatedAt = await changeApp(tx, changed)
  if (!updatedAt) {
    throw new Problem('invalid_params', `Name ${name} is already taken`)
  }
  // What one stack compiled may not run on another.
  if (wanted.name !== app.stack) await requestClearCache(tx, app.id)
  const message = `${said} by user ${account.email}`
  await writeWish(tx, { app: app.id, kind: 'app.changed', message })
  await wakeEveryRouter(tx)
  return { before: app, after: { ...changed, updatedAt } }
}

/** Empty where nothing has changed. */
function describeChange(before: App, after: App): string {
  const said = [
    before.name !== after.name && `Renamed to ${after.name}`,
    before.stack !== after.stack && `Stack set to ${after.stack}`,
    before.maintenance !== after.maintenance &&
      `Maintenance mode ${after.maintenance ? 'enabled' : 'disabled'}`,
  ]
  return said.filter((it) => it !== false).join(', ')
}
