/** Puts the built-in buildpacks where build dynos can see them: in the data directory. */

import { execFile } from 'node:child_process'
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
  stat,
  utimes,
} from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'

import type { DataDirectory } from '../installation/data-directory.ts'
import { DAY } from '../lib/clock.ts'
import { findSeeds, type Seed } from './find-seeds.ts'

const run = promisify(execFile)
const ours = join(import.meta.dirname, '../../buildpacks')

/** No build takes so long. */
const KEPT = DAY

/**
 * Ensures that this version's are there, with the Node that Mayfly runs on, so that a first
 * build need not fetch one; returns where, relative to the data directory. Several managers
 * may do this at once. Another version's stay for a day, for builds that run.
 */
export async function installBuildpacks(data: DataDirectory, now: Date): Promise<string> {
  const seeds = await findSeeds(process.execPath)
  const version = await versionOf(ours, seeds)
  const path = join(data.buildpacks, version)
  const others = (await namesIn(data.buildpacks)).filter((it) => it !== version)
  if (!existsSync(path)) {
    await install(path, seeds, data)
    // Until now they may have been in use.
    for (const name of others) {
      await utimes(join(data.buildpacks, name), now, now).catch(() => {})
    }
  }
  for (const name of others) await removeIfOld(join(data.buildpacks, name), now)
  return relative(data.root, path)
}

async function install(
  path: string,
  seeds: readonly Seed[],
  data: DataDirectory,
): Promise<void> {
  await mkdir(data.buildpacks, { recursive: true, mode: 0o755 })
  const made = await mkdtemp(join(data.buildpacks, '.new-'))
  try {
    await cp(ours, made, { recursive: true })
    for (const seed of seeds) await copySeed(seed, join(made, 'seeds', seed.name))
    await chmod(made, 0o755)
    await rename(made, path)
  } catch (error) {
    await rm(made, { recursive: true, force: true })
    if (!existsSync(path)) throw error
  }
}

/** Thousands of small files, which take seconds to copy, and none to link. */
async function copySeed({ directory, parts }: Seed, to: string): Promise<void> {
  for (const part of parts) {
    const target = join(to, part)
    await mkdir(dirname(target), { recursive: true })
    const paths = ['--', join(directory, part), target]
    try {
      await run('cp', ['--recursive', '--link', '--no-target-directory', ...paths])
    } catch {
      // They lie on another file system.
      await rm(target, { recursive: true, force: true })
      await run('cp', ['--recursive', '--no-target-directory', ...paths])
    }
  }
}

async function namesIn(directory: string): Promise<string[]> {
  return existsSync(directory) ? readdir(directory) : []
}

async function removeIfOld(path: string, now: Date): Promise<void> {
  // Another manager may have removed it meanwhile.
  const facts = await stat(path).catch(() => undefined)
  if (!facts || now.getTime() - facts.mtimeMs < KEPT) return
  await rm(path, { recursive: true, force: true })
}

async function versionOf(directory: string, seeds: readonly Seed[]): Promise<string> {
  const hash = createHash('sha256')
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  for (const file of files.toSorted()) {
    hash.update(`${relative(directory, file)}\0`).update(await readFile(file))
  }
  for (const { name } of seeds) hash.update(`${name}\0`)
  return hash.digest('hex').slice(0, 12)
}
