import { randomUUID } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'

import { whileThereIsRoom } from './disk-room.ts'

export interface FileBounds {
  /** Bytes. */
  readonly most: number
  /** What is thrown where there are more, and where the disk has no room for them. */
  readonly tooLarge: () => Error
  readonly noRoom: () => Error
}

/**
 * Makes a file of what comes, for its owner alone, in the place of any that is there: whole or not at all,
 * and on disk when this resolves.
 */
export async function storeFile(
  pieces: AsyncIterable<Buffer>,
  path: string,
  { most, tooLarge, noRoom }: FileBounds,
): Promise<void> {
  // Another may be storing the same. Anew: who else may write there must not say where it goes.
  const part = `${path}.${randomUUID()}.part`
  const file = await open(part, 'wx', 0o600)
  try {
    const bounded = whileThereIsRoom(
      limited(pieces, most, tooLarge),
      dirname(path),
      () => {
        throw noRoom()
      },
    )
    await pipeline(bounded, file.createWriteStream({ flush: true }))
    await rename(part, path)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}

async function* limited(
  pieces: AsyncIterable<Buffer>,
  most: number,
  tooLarge: () => Error,
): AsyncGenerator<Buffer> {
  let size = 0
  for await (const piece of pieces) {
    size += piece.length
    if (size > most) throw tooLarge()
    yield piece
  }
}
