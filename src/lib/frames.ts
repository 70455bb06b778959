/**
 * Pieces of bytes that stay as they are over a stream: what came as one record of TLS is one
 * frame, and a frame becomes one record. Each is its length in four bytes, then itself.
 */

const HEAD = 4
/** Bytes. More is no frame of ours. */
const LARGEST = 1024 * 1024

export function frame(bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(HEAD)
  head.writeUInt32BE(bytes.length)
  return Buffer.concat([head, bytes])
}

/** The frames that a stream of bytes is made of; one that is cut off is not one. */
export async function* framesIn(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let pieces: Buffer[] = []
  let length = 0
  for await (const piece of stream) {
    pieces.push(piece)
    length += piece.length
    while (length >= HEAD) {
      const bytes = pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces)
      const end = HEAD + bytes.readUInt32BE()
      if (end > HEAD + LARGEST) throw new Error(`a frame of ${end} bytes is too large`)
      pieces = [bytes]
      if (length < end) break
      yield bytes.subarray(HEAD, end)
      pieces = [bytes.subarray(end)]
      length -= end
    }
  }
}
