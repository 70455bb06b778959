import type { Autoscaling } from './autoscaling.ts'
import type { AppId, Id } from './ids.ts'
import { PLATFORM } from './webhook.ts'

export type MonitorId = Id<'monitor'>

/** What scales an app's web dynos; an app has one at most. */
export interface Monitor {
  readonly id: MonitorId
  readonly app: AppId
  readonly isActive: boolean
  readonly wanted: Autoscaling
  /** Kept and answered, for the CLI sends them; Mayfly sends no mail. */
  readonly notificationChannels: readonly string[]
  /** Minutes. */
  readonly notificationPeriod: number
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** Who scales by itself, as log lines and webhooks name it. */
export const AUTOSCALER = {
  ...PLATFORM,
  describedAs: 'autoscaler',
  cause: 'autoscaling',
} as const

/** Logged when a person asks for a number of web dynos that autoscaling would take back. */
export function switchedOff({ min, max }: Autoscaling, quantity: number): string {
  return `Autoscaling disabled: web@${quantity} is not within ${min} to ${max} dynos`
}
