import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants

/**
 * Opens, to be read, a file that somebody less trusted may have put there: a regular one, under
 * its own name, and of one of `owners` (uids; left out: anybody's). What is read by the handle
 * is what was looked at, whatever the name leads to by then. Undefined where there is none;
 * throws `UnsafeFile` where it is else.
 */
export async function openPlainFile(
  path: string,
  owners?: readonly number[],
): Promise<FileHandle | undefined> {
  const file = await openAsItIs(path)
  if (!file) return undefined
  try {
    const facts = await file.stat()
    if (!facts.isFile()) throw new UnsafeFile('is not a regular file')
    if (owners && !owners.includes(facts.uid))
      throw new UnsafeFile(`belongs to user ${facts.uid}`)
    return file
  } catch (error) {
    await file.close()
    throw error
  }
}

/** No link is followed, and no pipe waited for. */
async function openAsItIs(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    if (code === 'ELOOP' || code === 'ENXIO')
      throw new UnsafeFile('is not a regular file')
    throw error
  }
}

/** The message goes on from the file's name: `is not a regular file`. */
export class UnsafeFile extends Error {
  override readonly name = 'UnsafeFile'
}
