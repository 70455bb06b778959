import type { App } from '../model/app.ts'
import { Problem } from '../model/problem.ts'
import { findApp } from '../store/apps.ts'
import type { Queryable } from '../store/queryable.ts'

/** The app of that id or name; a Problem `not_found` where there is none. */
export async function requireApp(db: Queryable, identity: string): Promise<App> {
  const app = await findApp(db, identity)
  if (!app) throw new Problem('not_found', `Couldn't find that app.`)
  return app
}
