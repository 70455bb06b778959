import type { HealthCheck } from './health-check.ts'
import type { AppId, FormationId, ReleaseId, SlugId } from './ids.ts'

/** What the owner asked for: so many dynos of one process type, on the app's current release. */
export interface Formation {
  readonly id: FormationId
  readonly app: AppId
  readonly type: string
  /** As wanted now: 0 when the type has left the Procfile or the app is destroyed. */
  readonly quantity: number
  readonly size: string
  readonly command: string
  readonly release: ReleaseId
  readonly slug: SlugId
  /** Since when the release is the app's current one. */
  readonly releasedAt: Date
  /** A web dyno was ready on the release. */
  readonly proven: boolean
  /** None was yet, but on an earlier release, so that we could go back to that. */
  readonly onTrial: boolean
  /** The app sleeps. */
  readonly idle: boolean
  readonly healthCheck: HealthCheck | null
}
