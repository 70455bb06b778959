import type { Account, App } from '../model/app.ts'
import { wakeFormations } from '../store/app-formations.ts'
import { markDestroyed } from '../store/apps.ts'
import { removeDomainsOf } from '../store/domains.ts'
import { wakeOneOffs } from '../store/one-offs.ts'
import { writeWish } from '../store/events.ts'
import type { Queryable } from '../store/queryable.ts'
import { wakeEveryRouter } from '../store/regions.ts'
import { removeSniEndpointsOf } from '../store/sni-endpoints.ts'
import { wake } from '../store/work.ts'
import { lockOwnedApp } from './lock-owned-app.ts'

/** Its name is free at once; dynos, routes and files go as the managers get to them. */
export async function destroyApp(
  tx: Queryable,
  app: App,
  account: Account,
): Promise<void> {
  await lockOwnedApp(tx, app)
  await markDestroyed(tx, app.id)
  await removeDomainsOf(tx, app.id)
  await removeSniEndpointsOf(tx, app.id)
  const message = `Destroyed by user ${account.email}`
  await writeWish(tx, { app: app.id, kind: 'app.destroyed', message })
  await wakeFormations(tx, app)
  await wakeOneOffs(tx, app.id)
  await wakeEveryRouter(tx)
  await wake(tx, { kind: 'app', subject: app.id, region: app.region })
}
