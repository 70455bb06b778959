import { statfs } from 'node:fs/promises'

import { GiB, MiB } from './bytes.ts'

export interface DiskSpace {
  readonly bytes: number
  readonly files: number
}

/**
 * What uploads, pushes and builds leave free, for the database may lie on the same disk. Ext4 makes as many
 * files for so many bytes.
 */
export const DISK_RESERVE: DiskSpace = { bytes: GiB, files: 65_536 }

/** Whether the disk of `directory` has more free than must stay free, and is `needed` beside it. */
export async function hasDiskRoom(
  directory: string,
  needed: DiskSpace = { bytes: 0, files: 0 },
): Promise<boolean> {
  const { bytes, files } = await freeOf(directory)
  return (
    bytes > DISK_RESERVE.bytes + needed.bytes && files > DISK_RESERVE.files + needed.files
  )
}

/** Of the disk of `directory`, what others than root may still take. */
export async function freeOf(directory: string): Promise<DiskSpace> {
  const { bavail, bsize, files, ffree } = await statfs(directory)
  // Btrfs counts none: it makes them as they are needed.
  return { bytes: bavail * bsize, files: files === 0 ? Infinity : ffree }
}

/** Bytes. */
const LOOK_EVERY = 16 * MiB

/**
 * The pieces of what is written to the disk of `directory`. It is looked at as they come, for many may
 * write at once; `full` is called where there is no room for more.
 */
export async function* whileThereIsRoom(
  pieces: AsyncIterable<Buffer>,
  directory: string,
  full: () => void,
): AsyncGenerator<Buffer> {
  let unlooked = Infinity
  for await (const piece of pieces) {
    unlooked += piece.length
    if (unlooked > LOOK_EVERY) {
      if (!(await hasDiskRoom(directory))) full()
      unlooked = 0
    }
    yield piece
  }
}

/** In words, for whoever asks for what is kept in the database. */
export const NO_ROOM_TO_KEEP =
  'The disk is nearly full, so there are no new builds, releases, config vars, one-off dynos, certificates, webhooks and apps until its operator has made room. Scaling, restarting, stopping and destroying go on.'

/** In words, for whoever has to wait. */
export const NO_DISK_ROOM =
  'The disk is nearly full, so nothing is uploaded or pushed until its operator has made room.'
