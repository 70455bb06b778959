/**
 * A volume with a limit: a sparse file `disk` in the volume's directory, with an ext4 file
 * system like that of a dyno's own disk, mounted where only the dyno and its monitor see it.
 * Where the machine cannot mount one, a plain directory without a limit. The file has no
 * journal: one that the machine's death left unclean is made anew, for what must not be
 * lost is copied out at once.
 */

import { existsSync, globSync, readFileSync } from 'node:fs'
import { chown, mkdir, open, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { pause, SECOND } from '../../lib/clock.ts'
import { hasDiskRoom } from '../../lib/disk-room.ts'
import { removeTree } from '../../lib/remove-tree.ts'
import { runProgram } from '../../lib/run-program.ts'
import { SLUG_UID } from './address.ts'
import { beginMonitor, type Disk } from './begin-monitor.ts'
import { makeFileSystem } from './disk.ts'
import { type Copy, RuntimeError } from '../runtime.ts'
import type { LocalRegion } from './region.ts'

/** Where the root of a file system would show its lost+found. */
const CONTENT = 'content'
/** Half of what is usual: packages are made of small files. */
const BYTES_PER_FILE = 8192
/** In the superblock: 1 when it was unmounted, and no error was seen. */
const STATE_AT = 1024 + 0x3a
const CLEAN = 1
const UNMOUNTED_WITHIN = 10 * SECOND
const LOOK_EVERY = 5

/** What a dyno is to see of the volume, given where its disk would be mounted. */
export async function contentOf(
  region: LocalRegion,
  directory: string,
  mounted: string,
): Promise<string> {
  if (existsSync(region.files.diskTemplate)) return join(mounted, CONTENT)
  const plain = join(directory, CONTENT)
  await mkdir(plain, { recursive: true })
  await chown(plain, SLUG_UID, SLUG_UID)
  return plain
}

/** The volume's disk, with what was written to it before; `limit` counts for a new one. */
export async function volumeDisk(
  directory: string,
  limit: number,
  mounted: string,
): Promise<Disk> {
  const image = join(directory, 'disk')
  await unmounted(image)
  if (!(await isClean(image))) {
    await removeTree(directory)
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await writeFile(`${image}.new`, '', { mode: 0o600 })
    await truncate(`${image}.new`, limit)
    await makeFileSystem(`${image}.new`, Math.ceil(limit / BYTES_PER_FILE))
    await rename(`${image}.new`, image)
  }
  return { image, at: mounted, directories: [CONTENT], owner: SLUG_UID }
}

/**
 * By a process in a mount namespace of its own, which sees the disk and ends with it. Once it is
 * there under its name, it is on disk, whole: a release of it may be acknowledged.
 */
export async function copyVolume(
  directory: string,
  { to, most }: Pick<Copy, 'to' | 'most'>,
): Promise<void> {
  // Who made it may have died before its name was on disk.
  if (existsSync(to)) return flushDirectory(dirname(to))
  const image = join(directory, 'disk')
  const draft = `${to}.new`
  await unmounted(image)
  await rm(draft, { recursive: true, force: true })
  const at = existsSync(image) ? join(directory, 'mounted') : directory
  await mkdir(at, { recursive: true })
  const disk = { image, at, directories: [], owner: SLUG_UID }
  const disks = existsSync(image) ? [disk] : []
  const begin = beginMonitor({ cgroups: [], hybridMount: undefined, disks })
  const content = join(at, CONTENT)
  const run = async (...program: readonly string[]) => {
    await unmounted(image)
    try {
      return await runProgram(['env', 'LC_ALL=C', ...begin, ...program])
    } catch (error) {
      // Its status says only that it failed. ENAMETOOLONG is known by its words, which are always
      // these in the locale C.
      if (!(error instanceof Error && error.message.includes('File name too long')))
        throw error
      throw new RuntimeError('path_too_long', 'It has a path that is too long.', error)
    }
  }
  const sum = async (...of: readonly string[]) =>
    Number.parseInt(await run('du', '--summarize', '--count-links', ...of, content), 10)
  const bytes = await sum('--bytes')
  if (!(bytes <= most.bytes)) {
    throw new RuntimeError('too_large', `It has ${bytes} bytes, more than ${most.bytes}.`)
  }
  const files = await sum('--inodes')
  if (!(files <= most.files)) {
    throw new RuntimeError(
      'too_many_files',
      `It has ${files} files, more than ${most.files}.`,
    )
  }
  if (!(await hasDiskRoom(dirname(to), { bytes, files }))) {
    throw new RuntimeError('no_disk_room', `The disk has no room for ${bytes} bytes.`)
  }
  await run('cp', '--archive', '--sparse=always', '-T', content, draft)
  await runProgram(['sync', '--file-system', draft])
  await rename(draft, to)
  await flushDirectory(dirname(to))
}

async function flushDirectory(path: string): Promise<void> {
  const directory = await open(path)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** The kernel unmounts some time after a dyno's last process is gone; two at once destroy a disk. */
async function unmounted(image: string): Promise<void> {
  const started = performance.now()
  while (isUnderLoopDevice(image)) {
    if (performance.now() - started > UNMOUNTED_WITHIN) {
      throw new Error(`${image} is still mounted`)
    }
    await pause(LOOK_EVERY)
  }
}

function isUnderLoopDevice(image: string): boolean {
  return globSync('/sys/block/loop*/loop/backing_file').some((file) => {
    try {
      return readFileSync(file, 'utf8').trim() === image
    } catch {
      return false // it is gone
    }
  })
}

async function isClean(image: string): Promise<boolean> {
  if (!existsSync(image)) return false
  const file = await open(image)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, STATE_AT)
    return bytesRead === 2 && buffer.readUInt16LE() === CLEAN
  } finally {
    await file.close()
  }
}
