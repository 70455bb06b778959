/**
 * Which of an app's slugs are kept. Heroku keeps those of the last 20 releases and of the
 * last 30 days; here they lie on one disk, so a day of many deploys must not count.
 */

import type { SlugId } from './ids.ts'
import type { ReleaseStatus } from './release.ts'

/** As many deploys can be rolled back to, the current one among them. */
export const SLUGS_KEPT = 10

export interface SlugFacts {
  /** All that the app has, but for those that are destroyed already. */
  readonly slugs: readonly SlugId[]
  /** The app's that have a slug, newest first. */
  readonly releases: readonly ReleaseOfSlug[]
  /** Of a dyno that is not down. */
  readonly running: readonly SlugId[]
}

export interface ReleaseOfSlug {
  readonly slug: SlugId
  readonly status: ReleaseStatus
  readonly current: boolean
}

/** Those that neither run, nor are about to, nor are wanted for a rollback. */
export function slugsToDestroy({ slugs, releases, running }: SlugFacts): SlugId[] {
  const needed = releases
    // The newest may have failed: `releases:retry` runs it again.
    .filter((it, place) => it.current || it.status === 'pending' || place === 0)
    .map((it) => it.slug)
  const succeeded = releases.filter((it) => it.status === 'succeeded')
  const deployed = [...new Set(succeeded.map((it) => it.slug))].slice(0, SLUGS_KEPT)
  const kept = new Set([...needed, ...deployed, ...running])
  return slugs.filter((it) => !kept.has(it))
}
