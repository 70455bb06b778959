import { constants } from 'node:fs'
import { open } from 'node:fs/promises'

/**
 * Reads a file that untrusted code may have made: a regular one, under its own name, of at
 * most `limit` bytes. Undefined where there is none; throws `UnsafeFile` where it is else.
 */
export async function readSmallFile(
  path: string,
  limit: number,
): Promise<string | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  let file
  try {
    file = await open(path, flags)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') return undefined
    if (code === 'ELOOP' || code === 'ENXIO')
      throw new UnsafeFile('is not a regular file')
    throw error
  }
  try {
    const facts = await file.stat()
    if (!facts.isFile()) throw new UnsafeFile('is not a regular file')
    if (facts.size > limit) throw new UnsafeFile(`has more than ${limit} bytes`)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(limit), 0, limit, 0)
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await file.close()
  }
}

/** The message goes on from the file's name: `is not a regular file`. */
export class UnsafeFile extends Error {
  override readonly name = 'UnsafeFile'
}
