import { openPlainFile, UnsafeFile } from './open-plain-file.ts'

/**
 * Reads a file that untrusted code may have made: as `openPlainFile` takes it, and of at most
 * `limit` bytes. Undefined where there is none; throws `UnsafeFile` where it is else.
 */
export async function readSmallFile(
  path: string,
  limit: number,
  owners?: readonly number[],
): Promise<string | undefined> {
  const file = await openPlainFile(path, owners)
  if (!file) return undefined
  try {
    const { size } = await file.stat()
    if (size > limit) throw new UnsafeFile(`has more than ${limit} bytes`)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(limit), 0, limit, 0)
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await file.close()
  }
}
