import type { Account } from './app.ts'
import type { AppId, ReleaseId, SlugId } from './ids.ts'

/** One step of an app's history: a slug and config vars, numbered from 1. Never changed. */
export interface Release {
  readonly id: ReleaseId
  readonly app: AppId
  readonly version: number
  readonly status: ReleaseStatus
  readonly description: string
  readonly account: Account
  /** Null before the first deploy. */
  readonly slug: SlugId | null
  /** Made by the platform itself, to take back one that failed. */
  readonly automatic: boolean
  /** Why it failed, in a sentence. */
  readonly failure: string | null
  /** Its code has a release command. */
  readonly hasReleasePhase: boolean
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** `by user dev@example.com`: whose doing it is, for the log. */
export function byWhom({
  automatic,
  account,
}: Pick<Release, 'automatic' | 'account'>): string {
  return automatic ? 'by Mayfly' : `by user ${account.email}`
}

export type ReleaseStatus = 'pending' | 'succeeded' | 'failed' | 'expired'

export type ConfigVars = Readonly<Record<string, string>>

export function canRollBackTo(release: Release): boolean {
  return release.slug !== null && release.status === 'succeeded'
}
