/**
 * The repositories of destroyed apps go. `git` itself removes them, as the only one who may
 * write there: while root walks down a directory, its owner can put a link in the way.
 */

import { rm } from 'node:fs/promises'
import { join } from 'node:path'

import type { Pool } from 'pg'

import type { DataDirectory } from '../installation/data-directory.ts'
import { pause, SECOND } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { destroyedApps } from '../store/app-remains.ts'
import { repositoryName } from './git-repository.ts'

const EVERY = 5 * SECOND

export interface RepositoryPruning {
  readonly pool: Pool
  readonly data: DataDirectory
  readonly log: Log
}

/** Until the signal aborts. */
export async function pruneRepositories(
  { log, ...deps }: RepositoryPruning,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await removeRepositories(deps).catch((error: unknown) =>
      log.error('cannot remove the repositories of destroyed apps', error),
    )
    await pause(EVERY, signal)
  }
}

/** An app's rows stay until it is gone. */
export async function removeRepositories({
  pool,
  data,
}: Omit<RepositoryPruning, 'log'>): Promise<void> {
  for (const app of await destroyedApps(pool)) {
    const path = join(data.repos, repositoryName(app))
    await rm(path, { recursive: true, force: true })
  }
}
