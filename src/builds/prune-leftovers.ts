/** Every so often, what builds have left behind, and of apps' histories what is too much, is removed. */

import type { Pool } from 'pg'

import type { DataDirectory } from '../installation/data-directory.ts'
import { type Clock, MINUTE, pause } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { forgetLongCommands, forgetWhatOneOffsWereGiven } from '../store/histories.ts'
import { pruneCaches } from './prune-caches.ts'
import { allOf, pruneHistories } from './prune-histories.ts'
import { pruneSlugs } from './prune-slugs.ts'
import { pruneUploads } from './prune-uploads.ts'

export interface Pruning {
  readonly pool: Pool
  readonly data: DataDirectory
  readonly region: string
  readonly clock: Clock
  readonly log: Log
}

const EVERY = 10 * MINUTE
/** Passes: to count all that apps have takes the database seconds where there are hundreds of them. */
const HISTORIES_EVERY = 6

/** Until the signal aborts. */
export async function pruneLeftovers(deps: Pruning, signal: AbortSignal): Promise<void> {
  const kinds = {
    uploads: pruneUploads,
    slugs: pruneSlugs,
    caches: pruneCaches,
    'one-offs': ({ pool, region }: Pruning) => forgetWhatOneOffsWereGiven(pool, region),
    commands: ({ pool, region }: Pruning) =>
      allOf(() => forgetLongCommands(pool, region)),
  }
  for (let pass = 0; !signal.aborted; pass++) {
    const due = pass % HISTORIES_EVERY === 0 ? { histories: pruneHistories } : {}
    for (const [kind, prune] of Object.entries({ ...kinds, ...due })) {
      await prune(deps).catch((error: unknown) =>
        deps.log.error(`cannot prune ${kind}`, error),
      )
    }
    await pause(EVERY, signal)
  }
}
