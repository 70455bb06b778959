import type { Account, App } from '../model/app.ts'
import { describeDynos, requestRestart, type WhichDynos } from '../store/app-dynos.ts'
import { wakeFormations } from '../store/app-formations.ts'
import { writeWish } from '../store/events.ts'
import type { Queryable } from '../store/queryable.ts'
import { wakeAll } from '../store/work.ts'
import { mustBeKnown } from './must-be-known.ts'

/** `ps:stop`: a one-off ends; a dyno of a formation is started again, so it restarts. */
export async function stopDynos(
  tx: Queryable,
  app: App,
  which: WhichDynos,
  account: Account,
): Promise<void> {
  const { formations, oneOffs } = await requestRestart(tx, app.id, which, 'stop')
  if (formations.length === 0 && oneOffs.length === 0) await mustBeKnown(tx, app, which)
  const message = `Stop ${describeDynos(which)} by user ${account.email}`
  await writeWish(tx, { app: app.id, kind: 'restart.requested', message })
  await wakeFormations(tx, app, formations)
  const { region } = app
  await wakeAll(
    tx,
    oneOffs.map((subject) => ({ kind: 'one-off', subject, region })),
  )
}
