import type { AccountId, AppId, BuildId, ReleaseId, SlugId, SourceId } from './ids.ts'

/** Characters of each text that comes with a source: its version, what is said of it, its checksum. */
export const TEXT_LIMIT = 2000

/** One run of the buildpacks over a source tree. It ends in a slug and a release, or in words why not. */
export interface Build {
  readonly id: BuildId
  readonly app: AppId
  readonly account: { readonly id: AccountId; readonly email: string }
  readonly status: BuildStatus
  /** Where the workflow stands; null once the status is final. */
  readonly step: BuildStep | null
  /** Uploaded or pushed to us; null: the build dyno fetches it from its URL. */
  readonly source: SourceId | null
  readonly pushed: boolean
  /** For a push, the commit. */
  readonly sourceVersion: string | null
  readonly sourceDescription: string | null
  /** `SHA256:<hex>` of the tarball. */
  readonly sourceChecksum: string | null
  /** What this build was asked to use; null: the app's, or what detects itself. */
  readonly buildpacks: readonly string[] | null
  readonly slug: SlugId | null
  readonly release: ReleaseId | null
  readonly stack: string
  /** Why it fails, in words for its owner: set as soon as it is known. */
  readonly failure: string | null
  /** Its dyno's, from `prepare` on. */
  readonly address: string | null
  readonly cancelledAt: Date | null
  readonly startedAt: Date | null
  /**
   * Its dyno went with its machine, and what its second one prints begins here in the build's
   * output. Null: it has had one only.
   */
  readonly anewFrom: number | null
  /** Since when it could not be looked after: each look at it failed. */
  readonly failingSince: Date | null
  readonly createdAt: Date
  readonly updatedAt: Date
}

export type BuildStatus = 'pending' | 'succeeded' | 'failed'

/**
 * `prepare`: what the build dyno needs is laid out. `compile`: the dyno runs. `finish`: it
 * has ended or never will run; its remains go, then the build succeeds or fails.
 */
export type BuildStep = 'prepare' | 'compile' | 'finish'

/** `5f2a1c3e` of a commit, in `Deploy 5f2a1c3e`; of the build itself where the source has no version. */
export function shortVersion(build: Pick<Build, 'id' | 'sourceVersion'>): string {
  return (build.sourceVersion ?? build.id).slice(0, 8)
}
