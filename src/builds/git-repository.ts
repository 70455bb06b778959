/** The app's git repository, made when it is first asked for, and how large it may get. */

import { existsSync } from 'node:fs'
import { mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

import type { DataDirectory } from '../installation/data-directory.ts'
import { GiB } from '../lib/bytes.ts'
import type { AppId } from '../model/ids.ts'
import { runGit } from './run-git.ts'

/** Bytes. Heroku advises to stay below one GB; one push may be as large. */
export const REPOSITORY_LIMIT = 2 * GiB

export function repositoryName(app: AppId): string {
  return `${app}.git`
}

/** Several may ask at once: each makes one, and one of them becomes the app's. */
export async function ensureRepository(data: DataDirectory, app: AppId): Promise<void> {
  const path = join(data.repos, repositoryName(app))
  if (existsSync(path)) return
  const made = await mkdtemp(join(data.repos, '.new-'))
  try {
    await runGit([
      'init',
      '--quiet',
      '--bare',
      '--template=',
      '--initial-branch=main',
      made,
    ])
    await rename(made, path)
  } catch (error) {
    await rm(made, { recursive: true, force: true })
    if (!existsSync(path)) throw error
  }
}

/**
 * Whether no more may be pushed to a repository: its objects take `limit` bytes or more. Throws what git
 * says where it cannot be read.
 */
export async function isFull(
  data: DataDirectory,
  app: AppId,
  limit = REPOSITORY_LIMIT,
): Promise<boolean> {
  const path = join(data.repos, repositoryName(app))
  const counted = await runGit(['-C', path, 'count-objects', '-v'])
  const kibibytes = ['size', 'size-pack', 'size-garbage'].map((key) =>
    Number(new RegExp(`^${key}: (\\d+)$`, 'm').exec(counted)?.[1] ?? 0),
  )
  return kibibytes.reduce((sum, it) => sum + it, 0) * 1024 >= limit
}
