import { enabledFeatures, findFeature } from '../model/app-features.ts'
import type { Account, App } from '../model/app.ts'
import { appEvent } from '../model/event.ts'
import { Problem } from '../model/problem.ts'
import { putFeature, switchesOf } from '../store/app-features.ts'
import { wakeFormations } from '../store/app-formations.ts'
import { writeEvents } from '../store/events.ts'
import { writeLogLines } from '../store/log-lines.ts'
import type { Queryable } from '../store/queryable.ts'
import { wakeRouter } from '../store/regions.ts'
import { lockPresentApp } from './lock-present-app.ts'

export interface FeatureWish {
  readonly name: string
  readonly enabled: boolean
  readonly account: Account
  readonly now: Date
}

/**
 * Switches a feature on or off. It makes no release and restarts nothing: the managers heed
 * it from their next look on, and dynos see what is theirs when they start next.
 */
export async function setAppFeature(
  tx: Queryable,
  app: App,
  { name, enabled, account, now }: FeatureWish,
): Promise<void> {
  const feature = findFeature(name)
  if (!feature) throw new Problem('not_found', `Couldn't find that feature.`)
  await lockPresentApp(tx, app.id)
  if (enabledFeatures(await switchesOf(tx, app.id)).has(feature.name) === enabled) return

  await putFeature(tx, app.id, { name, enabled })
  const message = `${enabled ? 'Enable' : 'Disable'} ${name} feature by user ${account.email}`
  await writeLogLines(tx, [{ app: app.id, source: 'app', ps: 'api', message }])
  await writeEvents(tx, [
    appEvent({ app: app.id, at: now, kind: 'feature.changed', message }),
  ])
  await wakeFormations(tx, app)
  await wakeRouter(tx, app.region)
}
