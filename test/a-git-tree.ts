/** Working trees of the real git, without this machine's settings of it. */

import { execFile } from 'node:child_process'
import { cp, mkdtemp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { GIT_ENVIRONMENT } from '../src/builds/run-git.ts'

export interface Ended {
  readonly status: number
  /** On both of its outputs. */
  readonly said: string
}

export function git(cwd: string, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile('git', args, { cwd, env: GIT_ENVIRONMENT }, (error, stdout, stderr) =>
      resolve({ status: error ? Number(error.code) : 0, said: stdout + stderr }),
    )
  })
}

/** A repository in a new directory under `root`, with one commit on `main`. */
export async function aTree(
  root: string,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const work = await mkdtemp(join(root, 'work-'))
  for (const [name, text] of Object.entries(files))
    await writeFile(join(work, name), text)
  await commit(work)
  return work
}

/** The same, of a directory's files. */
export async function aTreeOf(root: string, directory: string): Promise<string> {
  const work = await mkdtemp(join(root, 'work-'))
  await cp(directory, work, { recursive: true })
  await commit(work)
  return work
}

export async function commit(work: string): Promise<void> {
  const author = ['-c', 'user.name=dev', '-c', 'user.email=dev@example.com']
  await git(work, ['init', '--quiet', '--initial-branch=main'])
  await git(work, ['add', '.'])
  await git(work, [
    ...author,
    'commit',
    '--quiet',
    '--allow-empty',
    '--message',
    'a change',
  ])
}
