import type { Account, App } from '../model/app.ts'
import { type Autoscaling, faultOfAutoscaling } from '../model/autoscaling.ts'
import { newId } from '../model/ids.ts'
import { faultOfFormations, type Limits } from '../model/limits.ts'
import type { Monitor } from '../model/monitor.ts'
import { Problem } from '../model/problem.ts'
import { formationsOf } from '../store/app-formations.ts'
import { writeLogLines } from '../store/log-lines.ts'
import { findMonitor, putMonitor, wakeAutoscaling } from '../store/monitors.ts'
import type { Queryable } from '../store/queryable.ts'
import { lockPresentApp } from './lock-present-app.ts'

/** What is undefined stays as it is. */
export interface AutoscalingWish {
  /** The one that the app must have; null: none yet. */
  readonly monitor?: string | null
  readonly isActive?: boolean | undefined
  readonly wanted?: Partial<{ [key in keyof Autoscaling]: number | undefined }>
  readonly notificationChannels?: readonly string[] | undefined
  readonly notificationPeriod?: number | undefined
}

const A_DAY = 1440

/**
 * Changes how the app's web dynos are scaled by themselves; the first time, `min` and `max`
 * must be given. The manager brings their number within the two at once. A Problem `conflict` where the app
 * has a monitor and must not, `not_found` where it has not the one it must have.
 */
export async function setAutoscaling(
  tx: Queryable,
  app: App,
  { wish, account }: { readonly wish: AutoscalingWish; readonly account: Account },
  limits: Limits,
): Promise<Monitor> {
  await lockPresentApp(tx, app.id)
  const present = await findMonitor(tx, app.id)
  mustBeMeant(wish, present)
  const monitor = {
    id: present?.id ?? newId<'monitor'>(),
    app: app.id,
    isActive: wish.isActive ?? present?.isActive ?? true,
    wanted: {
      min: wish.wanted?.min ?? present?.wanted.min ?? NaN,
      max: wish.wanted?.max ?? present?.wanted.max ?? NaN,
      p95: wish.wanted?.p95 ?? present?.wanted.p95 ?? NaN,
    },
    notificationChannels:
      wish.notificationChannels ?? present?.notificationChannels ?? [],
    notificationPeriod: wish.notificationPeriod ?? present?.notificationPeriod ?? A_DAY,
  }
  const fault = faultOfAutoscaling(monitor.wanted)
  if (fault) throw new Problem('invalid_params', fault)
  if (monitor.isActive) await mustBeAllowed(tx, monitor, limits)
  await putMonitor(tx, monitor)
  await writeLogLines(tx, [
    {
      app: app.id,
      source: 'app',
      ps: 'api',
      message: `${describe(monitor)} by user ${account.email}`,
    },
  ])
  await wakeAutoscaling(tx, app)
  const now = await findMonitor(tx, app.id)
  if (!now) throw new Error(`the monitor of ${app.id} is gone`)
  return now
}

function mustBeMeant({ monitor }: AutoscalingWish, present: Monitor | undefined): void {
  if (monitor === null && present) {
    throw new Problem(
      'conflict',
      'The web dynos have a monitor that scales: change that one.',
    )
  }
  if (typeof monitor === 'string' && present?.id !== monitor) {
    throw new Problem('not_found', `Couldn't find that monitor.`)
  }
}

/** As many dynos as it may come to. */
async function mustBeAllowed(
  tx: Queryable,
  { app, wanted }: Pick<Monitor, 'app' | 'wanted'>,
  limits: Limits,
): Promise<void> {
  const formations = await formationsOf(tx, app)
  const atMost = formations.map((it) =>
    it.type === 'web' ? { ...it, quantity: wanted.max } : it,
  )
  const above = faultOfFormations(atMost, limits)
  if (above) throw new Problem(above.id, above.message, above.details)
}

function describe({
  isActive,
  wanted: { min, max, p95 },
}: Pick<Monitor, 'isActive' | 'wanted'>): string {
  return isActive
    ? `Autoscaling enabled: web from ${min} to ${max} dynos for a p95 of ${p95}ms`
    : 'Autoscaling disabled'
}
