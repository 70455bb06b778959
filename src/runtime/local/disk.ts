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
import type { Log } from '../../lib/log.ts'
import { beginMonitor, type Disk } from './begin-monitor.ts'
import { runProgram } from './run-program.ts'

/** Bytes, as `df` shows them in the dyno but for what the file system itself needs. */
export const DISK_SIZE = 2 * GiB
const FILES = 131_072
const BLOCK = 4096
/** The number of a block, before its bytes. */
const HEADING = 4
const READ_AT_ONCE = 256 * BLOCK

/**
 * Ensures the template that disks are made from: the blocks of an empty file system that
 * are not zero. Where the machine cannot mount one there is none, and dynos have no limit.
 */
export async function prepareDisks(template: string, log: Log): Promise<void> {
  const trial = `${template}.trial.new`
  const disk = overlayDisk(join(trial, 'image'), join(trial, 'at'), 0)
  try {
    if (!existsSync(template)) await makeTemplate(template)
    await mkdir(disk.at, { recursive: true })
    writeDisk(template, disk.image)
    const begin = beginMonitor({ cgroups: [], hybridMount: undefined, disks: [disk] })
    await runProgram('env', [...begin, 'true'])
  } catch (error) {
    await rm(template, { force: true })
    log.error('what dynos write at /app has no limit: no disk can be mounted', error)
  } finally {
    await rm(trial, { recursive: true, force: true })
  }
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
  const image = `${template}.image.new`
  const draft = `${template}.new`
  await writeFile(image, '')
  await truncate(image, DISK_SIZE)
  await makeFileSystem(image, FILES)
  await writeFile(draft, await blocksIn(image))
  await rename(draft, template)
  await rm(image)
}

/** An empty one, for so many files, on a file of zeros. */
export async function makeFileSystem(image: string, files: number): Promise<void> {
  const features = ['-O', '^has_journal,^resize_inode', '-b', String(BLOCK), '-m', '0']
  const holes = ['-E', 'lazy_itable_init=1,nodiscard', '-N', String(files)]
  await runProgram('mkfs.ext4', ['-q', ...features, ...holes, image])
}

async function blocksIn(image: string): Promise<Buffer> {
  const found: Buffer[] = []
  const zeros = Buffer.alloc(READ_AT_ONCE)
  const file = await open(image)
  try {
    for (let start = 0; start < DISK_SIZE; start += READ_AT_ONCE) {
      const { buffer } = await file.read(Buffer.alloc(READ_AT_ONCE), { position: start })
      if (!buffer.equals(zeros)) found.push(...blocksOf(buffer, start))
    }
  } finally {
    await file.close()
  }
  return Buffer.concat(found)
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
