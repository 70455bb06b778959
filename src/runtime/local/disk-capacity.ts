/** How much of the machine's disk there is for what dynos write. */

import { existsSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { DISK_RESERVE, freeOf } from '../../lib/disk-room.ts'
import { SECOND } from '../../lib/clock.ts'
import { type DynoId, isUuid } from '../../model/ids.ts'
import type { Capacity } from '../runtime.ts'
import { DISK_SIZE } from './disk.ts'
import { type RegionFiles, regionFiles } from './dyno-files.ts'

/** Kept free of dynos' disks: what uploads and pushes may take, and what they must leave. */
const KEPT_FREE = { bytes: 2 * DISK_RESERVE.bytes, files: 2 * DISK_RESERVE.files }
/** Bytes of a block, as `stat` counts them. */
const BLOCK = 512
const LOOKED_AT_AGAIN_AFTER = SECOND

/**
 * What is free, and what the disks of dynos hold of all regions of the installation: dynos that write
 * change nothing of it. Nothing is free where the disk has few files left. No end where disks have no limit. It is looked at once a second at most.
 */
export function diskCapacity(
  files: RegionFiles,
): () => Promise<Pick<Capacity, 'disk' | 'diskOfDyno'>> {
  let at = -Infinity
  let bytes: Promise<number> = Promise.resolve(0)
  return async () => {
    if (!existsSync(files.diskTemplate)) return { disk: Infinity, diskOfDyno: 0 }
    if (performance.now() - at > LOOKED_AT_AGAIN_AFTER) {
      at = performance.now()
      bytes = freeOrHeld(files.directory)
    }
    return { disk: await bytes, diskOfDyno: DISK_SIZE }
  }
}

async function freeOrHeld(directory: string): Promise<number> {
  const regions = dirname(directory)
  const all = (await readdir(regions, { withFileTypes: true })).filter((it) =>
    it.isDirectory(),
  )
  const held = all.map(({ name }) => heldIn(join(regions, name)))
  const holds = (await Promise.all(held)).reduce((sum, it) => sum + it, 0)
  const { bytes, files } = await freeOf(directory)
  const free = files < KEPT_FREE.files ? 0 : bytes - KEPT_FREE.bytes
  return Math.max(0, free + holds)
}

async function heldIn(region: string): Promise<number> {
  const files = regionFiles(region)
  const dynos = (await readdir(region)).filter(isUuid)
  const blocks = await Promise.all(
    dynos.map((id) => blocksOf(files.of(id as DynoId).image)),
  )
  return blocks.reduce((sum, it) => sum + it, 0) * BLOCK
}

/** None of a dyno that goes at this moment. */
async function blocksOf(image: string): Promise<number> {
  try {
    return (await stat(image)).blocks
  } catch {
    return 0
  }
}
