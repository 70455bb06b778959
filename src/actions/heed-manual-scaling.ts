import type { App } from '../model/app.ts'
import type { AppFormation } from '../model/app-formation.ts'
import { switchedOff } from '../model/monitor.ts'
import { writeLogLines } from '../store/log-lines.ts'
import { findMonitor, putMonitor } from '../store/monitors.ts'
import type { Queryable } from '../store/queryable.ts'

/**
 * A person's word is above autoscaling's: a number of web dynos that it would take back ends
 * it. None at all does not: an app that is off stays off, and is scaled once it is on again.
 */
export async function heedManualScaling(
  tx: Queryable,
  app: Pick<App, 'id'>,
  changed: readonly AppFormation[],
): Promise<void> {
  const web = changed.find((it) => it.type === 'web')
  if (!web || web.quantity === 0) return
  const monitor = await findMonitor(tx, app.id)
  if (!monitor?.isActive) return
  const { min, max } = monitor.wanted
  if (web.quantity >= min && web.quantity <= max) return
  await putMonitor(tx, { ...monitor, isActive: false })
  const message = switchedOff(monitor.wanted, web.quantity)
  await writeLogLines(tx, [{ app: app.id, source: 'app', ps: 'api', message }])
}
