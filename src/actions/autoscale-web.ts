import type { ScaleDecision } from '../model/autoscaling.ts'
import type { AppId } from '../model/ids.ts'
import type { Limits } from '../model/limits.ts'
import { AUTOSCALER } from '../model/monitor.ts'
import { findFormation } from '../store/app-formations.ts'
import { findApp, lockApp } from '../store/apps.ts'
import { findMonitor } from '../store/monitors.ts'
import type { Queryable } from '../store/queryable.ts'
import { scaleFormations } from './scale-formations.ts'

export interface AutoscaleStep {
  readonly app: AppId
  /** As it was when it was decided. */
  readonly from: number
  readonly decision: ScaleDecision
}

/**
 * Scales the app's web dynos as decided; does nothing, and says false, where somebody was
 * faster. A Problem where the limits do not allow it.
 */
export async function autoscaleWeb(
  tx: Queryable,
  { app: id, from, decision }: AutoscaleStep,
  limits: Limits,
): Promise<boolean> {
  const app = (await lockApp(tx, id)) ? await findApp(tx, id) : undefined
  if (!app || app.maintenance) return false
  const monitor = await findMonitor(tx, id)
  const formation = await findFormation(tx, id, 'web')
  if (!monitor?.isActive || formation?.quantity !== from) return false
  const { quantity, because } = decision
  const scaler = { ...AUTOSCALER, describedAs: `${AUTOSCALER.describedAs} (${because})` }
  const wishes = [{ type: 'web', quantity }]
  await scaleFormations(tx, { app, wishes, scaler }, limits)
  return true
}
