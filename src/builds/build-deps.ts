/** What the looks at builds need, and what one manager keeps from look to look. */

import type { Pool } from 'pg'

import type { DataDirectory } from '../installation/data-directory.ts'
import { type Clock, SECOND } from '../lib/clock.ts'
import type { Jump } from '../lib/clock-jumps.ts'
import type { Log } from '../lib/log.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import type { UnderWay } from '../lib/under-way.ts'
import type { BuildId } from '../model/ids.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Queryable } from '../store/queryable.ts'
import type { BuildResult } from './read-result.ts'

export interface BuildDeps {
  readonly pool: Pool
  readonly runtime: Runtime
  readonly secrets: SecretBox
  readonly clock: Clock
  readonly data: DataDirectory
  /** Uids: sources are files of theirs. */
  readonly uploaders: readonly number[]
  readonly log: Log
  /** The region whose manager this is. */
  readonly region: string
  /** Where `installBuildpacks` put the built-in ones, relative to the data directory. */
  readonly builtIns: string
  /** What every build dyno has in its environment beside the platform's own. */
  readonly buildEnvironment: Readonly<Record<string, string>>
  /** When `mayfly down` last ended all that ran here. */
  readonly downAt?: Date | undefined
  /** Where the clock was set forward: see lib/clock-jumps.ts; undefined: nobody looks. */
  readonly jumps?: () => readonly Jump[]
  /** Does `begin`, by which a build takes its share of the machine, if there is room for it; false: there is none. */
  readonly placeBuild: (
    begin: (tx: Queryable) => Promise<boolean>,
    signal: AbortSignal,
  ) => Promise<boolean>
}

/** What this manager has under way, and another would begin anew. */
export interface Here {
  /** Of whom it has been said that they wait; another manager may say it once more. */
  readonly waiting: Set<BuildId>
  /** To take a slug's checksum, all of it is read. */
  readonly results: UnderWay<BuildResult>
  readonly removals: UnderWay<void>
}

/** Until a build is looked at again that waits for others, or for what is under way. */
export const TURN = SECOND
