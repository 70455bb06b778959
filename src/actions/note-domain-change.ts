import type { App } from '../model/app.ts'
import { writeWish } from '../store/events.ts'
import { writeLogLines } from '../store/log-lines.ts'
import type { Queryable } from '../store/queryable.ts'
import { wakeEveryRouter } from '../store/regions.ts'

/** What every change of an app's domains, or of what they are served with, ends with. */
export async function noteDomainChange(
  tx: Queryable,
  app: App,
  message: string,
): Promise<void> {
  await writeWish(tx, { app: app.id, kind: 'app.changed', message })
  await writeLogLines(tx, [{ app: app.id, source: 'app', ps: 'api', message }])
  await wakeEveryRouter(tx)
}
