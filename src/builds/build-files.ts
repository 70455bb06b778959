/** The files of a build, laid out before its dyno starts and cleared away after it. */

import { constants } from 'node:fs'
import {
  chmod,
  chown,
  copyFile,
  mkdir,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'

import type { DataDirectory } from '../installation/data-directory.ts'
import { systemClock } from '../lib/clock.ts'
import { openPlainFile } from '../lib/open-plain-file.ts'
import { removeTree } from '../lib/remove-tree.ts'
import type { Build } from '../model/build.ts'
import type { ConfigVars } from '../model/release.ts'

/**
 * Ensures that all is there; what an attempt cut short left behind is made anew. Says
 * false where the source is gone; throws `UnsafeFile` where what lies there is no file of
 * one of the `uploaders` (uids).
 */
export async function layOutBuild(
  data: DataDirectory,
  build: Build,
  {
    configVars,
    uploaders,
  }: { readonly configVars: ConfigVars; readonly uploaders: readonly number[] },
): Promise<boolean> {
  await removeBuildFiles(data, build)
  const given = join(data.builds, build.id, 'source')
  await mkdir(join(given, 'env'), { recursive: true, mode: 0o700 })
  for (const [name, value] of Object.entries(configVars).filter(isVariable)) {
    await writeFile(join(given, 'env', name), value, { mode: 0o600 })
  }
  await mkdir(join(data.caches, build.app), { recursive: true })
  // `pruneCaches` goes by it.
  const now = systemClock.now()
  await utimes(join(data.caches, build.app), now, now)
  if (!build.source) return true
  const source = await openPlainFile(data.sourceFile(build.source), uploaders)
  if (!source) return false
  try {
    const copy = join(given, 'source.tar.gz')
    await copyFile(`/proc/self/fd/${source.fd}`, copy, constants.COPYFILE_FICLONE)
    // The dyno's user is given files of the manager's own, not of an uploader's.
    await chown(copy, 0, 0)
    await chmod(copy, 0o600)
  } finally {
    await source.close()
  }
  return true
}

/** Clears away what only the dyno needed, what it compiled included. */
export async function removeBuildFiles(data: DataDirectory, build: Build): Promise<void> {
  await removeTree(join(data.builds, build.id))
}

export async function removeSource(data: DataDirectory, source: string): Promise<void> {
  await removeUpload(data.sourceFile(source))
}

/** A directory stays: no upload leaves one, and it must not keep anything else from going. */
export async function removeUpload(path: string): Promise<void> {
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'EISDIR') throw error
  })
}

export async function removeCache(
  data: DataDirectory,
  build: Pick<Build, 'app'>,
): Promise<void> {
  await removeTree(join(data.caches, build.app))
}

/** A build and the slug it makes have one id. */
export function slugDirectory(data: DataDirectory, build: Pick<Build, 'id'>): string {
  return join(data.slugs, build.id)
}

/** Other names can't be files of one directory (255 bytes), or variables of a shell. */
function isVariable([name]: [string, string]): boolean {
  return /^[A-Za-z_]\w{0,254}$/.test(name)
}
