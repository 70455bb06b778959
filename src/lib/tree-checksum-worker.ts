/**
 * The thread of `treeChecksum`. Each entry is hashed as a line — its kind, its mode, how many
 * bytes follow, its path — and what follows: a file's content, a link's target. The count
 * keeps two different trees from being written alike. The tree may be of untrusted making:
 * no link is followed, and nothing but files is opened.
 */

import { createHash } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'

import { MiB } from './bytes.ts'

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants
const PIECE = Buffer.alloc(MiB)
const SLASH = Buffer.from('/')

const hash = createHash('sha256')
addDirectory(Buffer.from(workerData as string), Buffer.alloc(0))
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has none
parentPort?.postMessage(`SHA256:${hash.digest('hex')}`)

/** Paths are bytes: not every name is UTF-8. `path` is from the root of the tree on. */
function addDirectory(at: Buffer, path: Buffer): void {
  const names = readdirSync(at, { encoding: 'buffer' }).toSorted((a, b) => a.compare(b))
  for (const name of names) {
    addEntry(Buffer.concat([at, SLASH, name]), Buffer.concat([path, SLASH, name]))
  }
}

function addEntry(at: Buffer, path: Buffer): void {
  const facts = lstatSync(at)
  if (facts.isDirectory()) {
    addLine('directory', { mode: facts.mode, size: 0, path })
    return addDirectory(at, path)
  }
  if (facts.isFile()) return addFile(at, path)
  if (!facts.isSymbolicLink()) {
    return addLine('other', { mode: facts.mode, size: 0, path })
  }
  const target = readlinkSync(at, { encoding: 'buffer' })
  addLine('link', { mode: 0, size: target.length, path })
  hash.update(target)
}

function addFile(at: Buffer, path: Buffer): void {
  const file = openSync(at, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  try {
    const { mode, size } = fstatSync(file)
    addLine('file', { mode, size, path })
    for (;;) {
      const length = readSync(file, PIECE)
      if (length === 0) return
      hash.update(PIECE.subarray(0, length))
    }
  } finally {
    closeSync(file)
  }
}

interface Line {
  readonly mode: number
  readonly size: number
  readonly path: Buffer
}

function addLine(kind: string, { mode, size, path }: Line): void {
  hash.update(`${kind} ${(mode & 0o7777).toString(8)} ${size} `)
  hash.update(path)
  hash.update('\0')
}
