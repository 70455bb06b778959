import { statfs } from 'node:fs/promises'

/** Bytes that uploads and pushes leave free: the database may lie on the same disk. */
export const DISK_RESERVE = 1024 ** 3

/** Whether the disk of `directory` has more free than must stay free. */
export async function hasDiskRoom(directory: string): Promise<boolean> {
  return (await freeBytes(directory)) > DISK_RESERVE
}

/** Of the disk of `directory`, what others than root may still take. */
export async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory)
  return bavail * bsize
}

/** Bytes. */
const LOOK_EVERY = 16 * 1024 ** 2

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

/** In words, for whoever has to wait. */
export const NO_DISK_ROOM =
  'The disk is nearly full, so nothing is uploaded or pushed until its operator has made room.'
