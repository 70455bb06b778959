/**
 * A dyno's own disk, under what it writes at /app: a sparse file with an ext4 file system,
 * so that bytes and inodes end at a limit. It is mounted where only the dyno's monitor and
 * the dyno see it, and so the kernel unmounts it and frees its loop device when they end,
 * whoever of us is alive then. What remains is a file in the dyno's directory.
 */

import {
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs'
import { mkdir, open, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { GiB } from '../../lib/bytes.ts'
import { hasDiskRoom } from '../../lib/disk-room.ts'
import type { Log } from '../../lib/log.ts'
import { runProgram } from '../../lib/run-program.ts'
import { beginMonitor, type Disk } from './begin-monitor.ts'
import { hasDisks } from './kernel-knows.ts'

/** Bytes, as `df` shows them in the dyno but for what the file system itself needs. */
export const DISK_SIZE = 2 * GiB
const FILES = 131_072
const BLOCK = 4096
/** The number of a block, before its bytes. */
const HEADING = 4
const READ_AT_ONCE = 256 * BLOCK
const FIND_DATA = join(import.meta.dirname, 'find-data.pl')

/**
 * Ensures the template that disks are made from: the blocks of an empty file system that
 * are not zero. Where the machine cannot mount one there is none, and dynos have no limit.
 *
 * One that is there has been mounted before. What goes wrong then, on a disk that is full or in a
 * machine that has no more processes, says nothing of the machine: it stays, and the dynos
 * that cannot be made for want of a disk are not made. Where there is none yet, that is thrown.
 */
export async function prepareDisks(template: string, log: Log): Promise<void> {
  const known = existsSync(template)
  const draft = `${template}.new`
  try {
    if (!known) await makeTemplate(draft)
    const failure = await mountOnTrial(known ? template : draft)
    if (failure && !known) return await without(failure)
    if (failure) throw failure
    if (!known) await rename(draft, template)
  } catch (error) {
    if (!hasDisks()) return without(error)
    if (!known) throw error
    log.error('no disk could be mounted on trial: dynos may not start', error)
  }

  async function without(error: unknown): Promise<void> {
    for (const it of [template, draft]) await rm(it, { force: true })
    log.error('what dynos write at /app has no limit: no disk can be mounted', error)
  }
}

/** Why it could not be mounted; rejects where that may be for want of something else. */
async function mountOnTrial(template: string): Promise<Error | undefined> {
  const trial = `${template}.trial.new`
  const disk = overlayDisk(join(trial, 'image'), join(trial, 'at'), 0)
  try {
    await mkdir(disk.at, { recursive: true })
    writeDisk(template, disk.image)
    return await isRun([disk]).then(
      () => undefined,
      async (error: Error) => {
        await isRun([])
        // What was written comes to the disk only as it is mounted.
        if (!(await hasDiskRoom(trial))) throw error
        return error
      },
    )
  } finally {
    await rm(trial, { recursive: true, force: true })
  }
}

async function isRun(disks: readonly Disk[]): Promise<void> {
  const begin = beginMonitor({ cgroups: [], hybridMount: undefined, disks })
  await runProgram(['env', ...begin, 'true'])
}

/** `owner`: the uid of the two directories that an overlay wants. */
export function overlayDisk(image: string, at: string, owner: number): Disk {
  return { image, at, directories: ['upper', 'work'], owner }
}

/** Writes a new disk; says false where there are none on this machine. */
export function writeDisk(template: string, image: string): boolean {
  if (!existsSync(template)) return false
  const blocks = readFileSync(template)
  const file = openSync(image, 'w', 0o600)
  try {
    ftruncateSync(file, DISK_SIZE)
    for (let at = 0; at < blocks.length; at += HEADING + BLOCK) {
      const place = blocks.readUInt32LE(at) * BLOCK
      writeSync(file, blocks, at + HEADING, BLOCK, place)
    }
  } finally {
    closeSync(file)
  }
  return true
}

async function makeTemplate(template: string): Promise<void> {
  const image = `${template}.image`
  try {
    await writeFile(image, '')
    await truncate(image, DISK_SIZE)
    await makeFileSystem(image, FILES)
    await writeFile(template, await blocksIn(image))
  } finally {
    await rm(image, { force: true })
  }
}

/** An empty one, for so many files, on a file of zeros. */
export async function makeFileSystem(image: string, files: number): Promise<void> {
  const features = ['-O', '^has_journal,^resize_inode', '-b', String(BLOCK), '-m', '0']
  const holes = ['-E', 'lazy_itable_init=1,nodiscard', '-N', String(files)]
  await runProgram(['mkfs.ext4', '-q', ...features, ...holes, image])
}

async function blocksIn(image: string): Promise<Buffer> {
  const found: Buffer[] = []
  const file = await open(image)
  try {
    for (const { start, end } of await dataIn(image)) {
      for (let at = start; at < end; at += READ_AT_ONCE) {
        const length = Math.min(READ_AT_ONCE, end - at)
        const { buffer } = await file.read(Buffer.alloc(length), { position: at })
        found.push(...blocksOf(buffer, at))
      }
    }
  } finally {
    await file.close()
  }
  return Buffer.concat(found)
}

/** Where it is no hole: whole blocks, by their bytes. */
async function dataIn(
  image: string,
): Promise<{ readonly start: number; readonly end: number }[]> {
  const lines = (await runProgram(['perl', FIND_DATA, image])).split('\n').filter(Boolean)
  return lines.map((line) => {
    const [start = 0, end = 0] = line.split(' ').map(Number)
    return {
      start: Math.floor(start / BLOCK) * BLOCK,
      end: Math.ceil(end / BLOCK) * BLOCK,
    }
  })
}

function blocksOf(bytes: Buffer, start: number): Buffer[] {
  return Array.from({ length: bytes.length / BLOCK }, (_, n) => n).flatMap((n) => {
    const block = bytes.subarray(n * BLOCK, (n + 1) * BLOCK)
    if (block.every((byte) => byte === 0)) return []
    const heading = Buffer.alloc(HEADING)
    heading.writeUInt32LE(start / BLOCK + n)
    return [heading, block]
  })
}
