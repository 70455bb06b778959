/** The app's git repository, made when it is first asked for. */

import { existsSync } from 'node:fs'
import { mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

import type { DataDirectory } from '../installation/data-directory.ts'
import type { AppId } from '../model/ids.ts'
import { runGit } from './run-git.ts'

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
