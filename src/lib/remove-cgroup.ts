import { readdir, rmdir } from 'node:fs/promises'
import { join } from 'node:path'

import { pause, SECOND } from './clock.ts'

const EMPTY_WITHIN = 5 * SECOND
const LOOK_EVERY = 10

/**
 * With all below it; nothing where there is none. A cgroup's files can't be removed, its
 * directories can once nobody is in them.
 */
export async function removeCgroup(directory: string): Promise<void> {
  let entries
  try {
    entries = await readdir(directory, { withFileTypes: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  for (const entry of entries) {
    if (entry.isDirectory()) await removeCgroup(join(directory, entry.name))
  }
  await removeEmptied(directory)
}

/** Who was killed may be listed no more, and have threads that still end: the kernel says EBUSY then. */
async function removeEmptied(directory: string): Promise<void> {
  const began = performance.now()
  for (;;) {
    try {
      return await rmdir(directory)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT') return
      if (code !== 'EBUSY' || performance.now() - began > EMPTY_WITHIN) throw error
    }
    await pause(LOOK_EVERY)
  }
}
