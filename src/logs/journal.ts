/**
 * An app's last lines on disk, and with them how far each of their origins was read: both
 * are written by one append, so that after a SIGKILL no line is missing and none doubled.
 *
 * A journal is a directory of two append-only segments, `<number of its first line>.log`;
 * when the newer is full, by lines or by bytes, the older goes. A record is a header, one line of JSON, followed by
 * `bytes` bytes of lines. The first record of a segment repeats what is known of origins.
 * A torn last record is cut off: at once where the disk is full, or else by whoever takes it up.
 */

import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

import type { DynoId } from '../model/ids.ts'
import { after, type Batch, lastOf, type Lines } from './batch.ts'
import type { Unfinished } from './cri.ts'

/** The last so many lines of an app are kept. */
export const KEPT_LINES = 1500
/** A segment with so many lines ends when it has so many bytes. */
const SEGMENT_BYTES = 1024 * 1024
/**
 * A segment ends when so much was appended to it, whatever it is. KEPT_LINES of the longest lines
 * take two thirds of it, with their headers.
 */
export const LARGEST_SEGMENT = 24 * 1024 * 1024
/** A reader has so much of it in memory at once, or one record that is longer. */
const PIECE_BYTES = 64 * 1024
/** More than the rows of log_lines that can be in the journal and still in their table. */
const KEPT_ROWS = 4096

/** How far a dyno's file was read. */
export interface Position {
  /** How the file begins: the time of its first record tells it from its successors. */
  readonly beginning: string
  readonly offset: number
  /** From here on the file is read again, to know what is unfinished at `offset`; left out: `offset`. */
  readonly since?: number
  /** At `since`. A journal has it again only where it is another object than before. */
  readonly unfinished: Unfinished
}

type WrittenPosition = Omit<Position, 'unfinished'> &
  Partial<Pick<Position, 'unfinished'>>

/** Where lines came from, so that they are not taken twice. */
export interface Origin {
  readonly dyno?: { readonly id: DynoId; readonly position: Position }
  /** Ids in log_lines. */
  readonly rows?: readonly string[]
}

interface Header extends Omit<Batch, 'text'> {
  readonly bytes: number
  /** null: the dyno's file is no more. */
  readonly positions?: Readonly<Record<string, WrittenPosition | null>>
  readonly rows?: readonly string[]
}

interface Segment {
  readonly headers: readonly Header[]
  readonly batches: readonly Batch[]
  /** Where its first record ends. */
  readonly known: number
  /** Where its last whole record ends. */
  readonly end: number
}

const datasync = promisify(fdatasync)

export class Journal {
  readonly #directory: string
  readonly #positions = new Map<string, Position>()
  readonly #rows = new Set<string>()
  #file = -1
  #bytes = 0
  /** How many of them the segment's first record has, which says what was known before. */
  #known = 0
  #first = 1
  #next = 1
  /** Rows were appended since the last sync. */
  #unsynced = false

  /** Takes up what an earlier process left in `directory`. */
  constructor(directory: string) {
    this.#directory = directory
    mkdirSync(directory, { recursive: true })
    for (const first of this.#segments().toReversed()) {
      if (this.#takeUp(first)) return
      // Killed between making the segment and its first record; the one before is whole.
      rmSync(this.#path(first))
    }
    this.#begin()
  }

  /** The number of the line appended last; 0 when there was none yet. */
  get last(): number {
    return this.#next - 1
  }

  position(dyno: DynoId): Position | undefined {
    return this.#positions.get(dyno)
  }

  holds(row: string): boolean {
    return this.#rows.has(row)
  }

  append(lines: Lines, origin: Origin = {}): Batch {
    if (this.#isFull()) this.#rotate()
    const { dyno, rows } = origin
    const { text, ...rest } = lines
    const first = this.#next
    if (rows) this.#unsynced = true
    this.#write(
      {
        ...rest,
        first,
        bytes: text.length,
        ...(dyno && { positions: { [dyno.id]: this.#news(dyno) } }),
        ...(rows && { rows }),
      },
      text,
    )
    return { ...lines, first }
  }

  /** Once a dyno's file has been deleted. */
  forget(dyno: DynoId): void {
    if (this.#positions.has(dyno)) this.#note({ positions: { [dyno]: null } })
  }

  /**
   * What is kept of the lines after number `seen`, at least of the last 1,500, oldest first. It is
   * read as it is asked for: what is appended meanwhile comes too, what goes meanwhile does not.
   */
  *read(seen = 0): Generator<Batch, void> {
    let number = seen
    let segment: number | undefined
    let offset = 0
    for (;;) {
      const segments = this.#segments()
      if (segment === undefined || !segments.includes(segment)) {
        segment = segments.findLast((first) => first <= number + 1) ?? segments[0]
        offset = 0
      }
      if (segment === undefined) return
      const { batches, end } = readPiece(this.#path(segment), offset)
      if (end === offset) {
        const before = segment
        segment = segments.find((first) => first > before)
        if (segment === undefined) return
        offset = 0
        continue
      }
      offset = end
      for (const batch of batches) {
        const unseen = after(number, batch)
        if (!unseen) continue
        number = lastOf(unseen)
        yield unseen
      }
    }
  }

  /** Resolves when what was appended would outlive a power failure. */
  async sync(): Promise<void> {
    // A descriptor of its own: `#file` may be closed and its number reused meanwhile.
    const file = openSync(this.#path(this.#first), 'r')
    try {
      await datasync(file)
      this.#unsynced = false
    } finally {
      closeSync(file)
    }
  }

  close(): void {
    closeSync(this.#file)
  }

  #takeUp(first: number): boolean {
    const { headers, known, end } = readSegment(this.#path(first))
    if (headers.length === 0) return false
    for (const header of headers) this.#learn(header)
    this.#first = first
    this.#bytes = end
    this.#known = known
    this.#file = openSync(this.#path(first), 'a', 0o640)
    ftruncateSync(this.#file, end)
    return true
  }

  #isFull(): boolean {
    if (this.#bytes - this.#known >= LARGEST_SEGMENT) return true
    return this.#next - this.#first >= KEPT_LINES && this.#bytes >= SEGMENT_BYTES
  }

  /** What of the position is not known yet: `unfinished` may be long. */
  #news({ id, position }: Required<Origin>['dyno']): WrittenPosition {
    const { unfinished, ...rest } = position
    return unfinished === this.position(id)?.unfinished ? rest : position
  }

  #segments(): number[] {
    return readdirSync(this.#directory)
      .map((name) => Number(/^(\d+)\.log$/.exec(name)?.[1]))
      .filter((first) => !Number.isNaN(first))
      .toSorted((a, b) => a - b)
  }

  #path(first: number): string {
    return join(this.#directory, `${first}.log`)
  }

  #rotate(): void {
    if (this.#unsynced) fdatasyncSync(this.#file)
    const full = this.#file
    this.#begin()
    closeSync(full)
    for (const older of this.#segments().slice(0, -2)) rmSync(this.#path(older))
  }

  /** On an error all is as it was: the segment before is gone on with. */
  #begin(): void {
    const path = this.#path(this.#next)
    const file = openSync(path, 'a', 0o640)
    const known = {
      positions: Object.fromEntries(this.#positions),
      rows: [...this.#rows],
    }
    const record = recordOf({ ...this.#nothing(), ...known }, '')
    try {
      writeWhole(file, record, 0)
    } catch (error) {
      closeSync(file)
      rmSync(path)
      throw error
    }
    this.#file = file
    this.#first = this.#next
    this.#bytes = record.length
    this.#known = record.length
  }

  #note(known: Pick<Header, 'positions' | 'rows'>): void {
    this.#write({ ...this.#nothing(), ...known }, '')
  }

  /** The header of no lines. */
  #nothing(): Header {
    return { first: this.#next, count: 0, source: '', ps: '', bytes: 0 }
  }

  #write(header: Header, text: string): void {
    const record = recordOf(header, text)
    writeWhole(this.#file, record, this.#bytes)
    this.#bytes += record.length
    this.#learn(header)
  }

  #learn({ first, count, positions = {}, rows = [] }: Header): void {
    this.#next = first + count
    for (const [dyno, position] of Object.entries(positions)) {
      if (!position) this.#positions.delete(dyno)
      else {
        const unfinished = position.unfinished ?? this.#positions.get(dyno)?.unfinished
        this.#positions.set(dyno, { ...position, unfinished: unfinished ?? {} })
      }
    }
    for (const row of rows) this.#rows.add(row)
    for (const row of this.#rows) {
      if (this.#rows.size <= KEPT_ROWS) break
      this.#rows.delete(row)
    }
  }
}

function recordOf(header: Header, text: string): Buffer {
  return Buffer.from(`${JSON.stringify(header)}\n${text}`, 'latin1')
}

/**
 * Appends a record behind the `end` bytes that `file` has, or, on an error, nothing: behind a part
 * of one, as a full disk leaves it, no other record would be found.
 */
function writeWhole(file: number, record: Buffer, end: number): void {
  try {
    for (let at = 0; at < record.length;) at += writeSync(file, record, at)
  } catch (error) {
    ftruncateSync(file, end)
    throw error
  }
}

function readSegment(path: string): Segment {
  return recordsIn(readFileSync(path, 'latin1'))
}

/** The whole records from `offset` on that begin a piece of the segment; none: it ends there. */
function readPiece(path: string, offset: number): Segment {
  const file = openSync(path, 'r')
  try {
    for (let bytes = PIECE_BYTES; ; bytes *= 2) {
      const piece = Buffer.allocUnsafe(bytes)
      const length = readSync(file, piece, 0, bytes, offset)
      const { end, ...records } = recordsIn(piece.toString('latin1', 0, length))
      if (end > 0 || length < bytes) return { ...records, end: offset + end }
    }
  } finally {
    closeSync(file)
  }
}

function recordsIn(content: string): Segment {
  const headers: Header[] = []
  const batches: Batch[] = []
  let known = 0
  let end = 0
  for (;;) {
    const newline = content.indexOf('\n', end)
    if (newline === -1) break
    const header = headerOf(content.slice(end, newline))
    const text = content.slice(newline + 1, newline + 1 + (header?.bytes ?? 0))
    if (!header || text.length < header.bytes) break
    end = newline + 1 + header.bytes
    known ||= end
    headers.push(header)
    const { first, count, source, ps } = header
    if (count > 0) batches.push({ first, count, source, ps, text })
  }
  return { headers, batches, known, end }
}

/** Undefined for what a power failure left in place of a header. */
function headerOf(line: string): Header | undefined {
  try {
    return JSON.parse(line) as Header
  } catch {
    return undefined
  }
}
