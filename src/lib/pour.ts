import type { Writable } from 'node:stream'

import { GiB } from './bytes.ts'

/** Of what nobody reads. An honest upload ends before, and who sends more hears of no answer. */
const MOST_DISCARDED = GiB

/**
 * Writes the pieces of an upload as fast as they are taken. Where no more of them are, the rest
 * is read all the same, as far as `most` bytes, and thrown away: a client that is cut off while it
 * sends does not hear the answer it was given. Resolves when the upload has ended, however.
 */
export async function pour(
  upload: AsyncIterable<Buffer>,
  into: Writable,
  most = MOST_DISCARDED,
): Promise<void> {
  // Told to who writes.
  into.on('error', () => {})
  let left = most
  try {
    for await (const piece of upload) {
      if (await isTaken(piece, into)) continue
      left -= piece.length
      // Leaving the loop destroys the upload.
      if (left < 0) return
    }
    into.end()
  } catch {
    // It broke off, and so must what is made of it.
    into.destroy()
  }
}

function isTaken(piece: Buffer, into: Writable): Promise<boolean> {
  if (into.destroyed) return Promise.resolve(false)
  return new Promise((resolve) => {
    const closed = () => resolve(false)
    into.once('close', closed)
    into.write(piece, (error) => {
      into.off('close', closed)
      resolve(!error)
    })
  })
}
