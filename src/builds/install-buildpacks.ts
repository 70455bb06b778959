/** Puts the built-in buildpacks where build dynos can see them: in the data directory. */

import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import {
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
} from 'node:fs/promises'
import { join, relative } from 'node:path'

import type { DataDirectory } from '../installation/data-directory.ts'

const ours = join(import.meta.dirname, '../../buildpacks')

/**
 * Ensures that this version's are there, and returns where: relative to the data directory.
 * Another version's stay, for builds that run; several managers may do this at once.
 */
export async function installBuildpacks(data: DataDirectory): Promise<string> {
  const path = join(data.buildpacks, await versionOf(ours))
  if (!existsSync(path)) await install(path, data)
  return relative(data.root, path)
}

async function install(path: string, data: DataDirectory): Promise<void> {
  await mkdir(data.buildpacks, { recursive: true, mode: 0o755 })
  const made = await mkdtemp(join(data.buildpacks, '.new-'))
  try {
    await cp(ours, made, { recursive: true })
    await chmod(made, 0o755)
    await rename(made, path)
  } catch (error) {
    await rm(made, { recursive: true, force: true })
    if (!existsSync(path)) throw error
  }
}

async function versionOf(directory: string): Promise<string> {
  const hash = createHash('sha256')
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  for (const file of files.toSorted()) {
    hash.update(`${relative(directory, file)}\0`).update(await readFile(file))
  }
  return hash.digest('hex').slice(0, 12)
}
