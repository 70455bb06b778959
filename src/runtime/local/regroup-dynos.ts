/**
 * Dynos outlive versions of this program, and one of before had all that is not root's alone
 * of one group, which every part was in. They are not started anew for that: their files
 * become those of whom they are for, while whoever has them open goes on.
 */

import { lchown, readdir } from 'node:fs/promises'

import { type DynoId, type EntryId, isUuid } from '../../model/ids.ts'
import type { LocalRegion } from './region.ts'

/** Idempotent. Nobody but root may put anything where these lie. */
export async function regroupDynos({
  files,
  readers,
  clients,
}: Pick<LocalRegion, 'files' | 'readers' | 'clients'>): Promise<void> {
  for (const dyno of await idsIn(files.directory)) {
    const { directory, log, spareLog, stream } = files.of(dyno as DynoId)
    await give([directory, log, spareLog], readers)
    await give([stream, `${stream}.new`], clients)
    for (const id of await idsIn(directory)) {
      const entry = files.entry(dyno as DynoId, id as EntryId)
      await give([entry.directory], 0)
      await give([entry.stream, `${entry.stream}.new`, entry.control], clients)
    }
  }
}

async function idsIn(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => isUuid(name))
}

/** Those that are there. */
async function give(paths: readonly string[], group: number | undefined): Promise<void> {
  if (group === undefined) return
  for (const path of paths) {
    await lchown(path, 0, group).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
  }
}
