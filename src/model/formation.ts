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
}
