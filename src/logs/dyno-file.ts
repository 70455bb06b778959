/**
 * Follows the log file of one dyno. conmon replaces the file by a new one when it has
 * reached its size: the old one is read to its end through its open descriptor first.
 * Every read is short and synchronous, from the page cache, so that what was read, what is
 * in the journal and what readers got can never disagree.
 *
 * What a dyno prints beyond its quota is counted, and a line says so (L12). That line is what
 * puts it behind us in the journal: until then it would be read again after a SIGKILL.
 */

import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'

import { type Clock, SECOND } from '../lib/clock.ts'
import type { LoggedDyno } from '../store/log-intake.ts'
import { displayTime, label, type Lines } from './batch.ts'
import type { Channel } from './channels.ts'
import { finish, parseRecords, type Unfinished } from './cri.ts'
import type { Position } from './journal.ts'
import { LogQuota } from './log-quota.ts'

export const CHUNK_BYTES = 64 * 1024
/**
 * What is unfinished is written to the journal once in so many bytes of the file, whatever changes in
 * it: each time may be 120 KB. A successor has so much to read again, and a chunk.
 */
const READ_AGAIN_BYTES = 4 * CHUNK_BYTES
/** Of the time that a file begins with; every record is longer. */
const BEGINNING_BYTES = 30
/** Who tells of what was dropped, as at Heroku, where it is a process beside the dyno. */
const SHUTTLE = 'log-shuttle'
/** Between two lines that tell of it. */
const TELL_EVERY = SECOND
/** Bytes of the time that a displayed line begins with. */
const TIME_BYTES = displayTime(new Date(0)).length

type Written = Required<Pick<Position, 'since' | 'unfinished'>>

const chunk = Buffer.allocUnsafe(CHUNK_BYTES)

export class DynoFile {
  readonly dyno: LoggedDyno
  readonly #channel: Channel
  readonly #label: string
  #path: string
  #file: number | undefined
  #beginning = ''
  #offset = 0
  #unfinished: Unfinished = {}
  /** What the journal has in place of `#unfinished`: what was so earlier in the file. */
  #written: Written = { since: 0, unfinished: {} }
  #replaced = false
  readonly #clock: Clock
  readonly #quota: LogQuota
  /** Not told of yet; `since`: the first one's time, as displayed. */
  #dropped = { count: 0, since: '' }
  #toldAt = 0

  constructor(dyno: LoggedDyno, path: string, channel: Channel, clock: Clock) {
    this.dyno = dyno
    this.#path = path
    this.#channel = channel
    this.#label = label('app', dyno.place)
    this.#clock = clock
    this.#quota = new LogQuota(clock)
  }

  /** The file has another name now. */
  move(path: string): void {
    this.#path = path
  }

  /** How many bytes are still to read. */
  get unread(): number {
    if (!this.#open()) return 0
    return Math.max(0, fstatSync(this.#descriptor).size - this.#offset)
  }

  /** Takes in at most a chunk. Says whether to call again at once. */
  readSome(): boolean {
    if (!this.#open()) return false
    const length = readSync(this.#descriptor, chunk, 0, CHUNK_BYTES, this.#offset)
    const text = chunk.toString('latin1', 0, length)
    const parsed = parseRecords(text, this.#label, this.#unfinished)
    if (parsed.used === 0) {
      this.#tellOfDroppedNowAndThen()
      return this.#readNothing(text)
    }

    const kept = this.#quota.take(parsed.count, parsed.used)
    // Before what is kept is behind us, which what was dropped would be with it.
    if (kept) this.#tellOfDropped()
    if (this.#offset === 0) this.#beginning = text.slice(0, BEGINNING_BYTES)
    const { unfinished } = parsed
    const offset = this.#offset + parsed.used
    const written = this.#toWrite(offset, unfinished)
    if (kept && parsed.count > 0) {
      const position = { beginning: this.#beginning, offset, ...written }
      this.#append({ ...parsed, ps: this.dyno.place }, position)
    }
    // Only now: what could not be appended is to be read again.
    this.#offset = offset
    this.#unfinished = unfinished
    this.#written = written
    if (!kept) this.#drop(parsed.text, parsed.count)
    return true
  }

  /** After the dyno's end, once all is read: its last line may lack its end. */
  finish(): void {
    this.#tellOfDropped()
    const last = finish(this.#unfinished, this.#label)
    const written = { since: this.#offset, unfinished: {} }
    const position = { ...this.#position, ...written }
    if (last.count > 0) this.#append({ ...last, ps: this.dyno.place }, position)
    this.#unfinished = {}
    this.#written = written
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }

  get #descriptor(): number {
    if (this.#file === undefined) throw new Error('the file is not open')
    return this.#file
  }

  #drop(text: string, count: number): void {
    if (count === 0) return
    const { count: before, since } = this.#dropped
    const first = before === 0 ? text.slice(0, TIME_BYTES) : since
    this.#dropped = { count: before + count, since: first }
    this.#tellOfDroppedNowAndThen()
  }

  #tellOfDroppedNowAndThen(): void {
    const passed = Math.abs(this.#clock.now().getTime() - this.#toldAt)
    if (passed >= TELL_EVERY) this.#tellOfDropped()
  }

  #tellOfDropped(): void {
    const { count, since } = this.#dropped
    if (count === 0) return
    const now = this.#clock.now()
    const message = `Error L12: ${count} messages dropped since ${since}`
    const text = `${displayTime(now)}${label('app', SHUTTLE)}${message}\n`
    this.#append({ ps: SHUTTLE, count: 1, text }, this.#position)
    this.#dropped = { count: 0, since: '' }
    this.#toldAt = now.getTime()
  }

  get #position(): Position {
    return { beginning: this.#beginning, offset: this.#offset, ...this.#written }
  }

  /** What the journal is to have of what is unfinished at `offset`. */
  #toWrite(offset: number, unfinished: Unfinished): Written {
    const isNone = Object.keys(unfinished).length === 0
    const isFar = offset - this.#written.since >= READ_AGAIN_BYTES
    return isNone || isFar ? { since: offset, unfinished } : this.#written
  }

  /** `position`: how far the file has been read with these lines. */
  #append(
    { ps, count, text }: Pick<Lines, 'ps' | 'count' | 'text'>,
    position: Position,
  ): void {
    this.#channel.append(
      { source: 'app', ps, count, text },
      { dyno: { id: this.dyno.id, position } },
    )
  }

  #open(): boolean {
    if (this.#file !== undefined) return true
    try {
      this.#file = openSync(this.#path, 'r')
    } catch (error) {
      if (isMissing(error)) return false
      throw error
    }
    const length = readSync(this.#file, chunk, 0, BEGINNING_BYTES, 0)
    this.#beginning = chunk.toString('latin1', 0, length)
    const known = this.#channel.journal.position(this.dyno.id)
    if (known && this.#isOf(known)) this.#resume(known)
    else this.#start()
    this.#replaced = false
    return true
  }

  /** Whether the file is the one that the journal knows. Without a beginning it was empty then. */
  #isOf({ beginning }: Position): boolean {
    return beginning === '' ? !this.#replaced : beginning === this.#beginning
  }

  #resume({ offset, since = offset, unfinished }: Position): void {
    this.#offset = offset
    this.#written = { since, unfinished }
    this.#unfinished = unfinished
    for (let at = since; at < offset;) {
      const most = Math.min(CHUNK_BYTES, offset - at)
      const length = readSync(this.#descriptor, chunk, 0, most, at)
      const text = chunk.toString('latin1', 0, length)
      const parsed = parseRecords(text, this.#label, this.#unfinished)
      this.#unfinished = parsed.unfinished
      // As when it was read first: a chunk that makes no sense is skipped.
      at += parsed.used || CHUNK_BYTES
    }
  }

  /** A line may have begun in the file that this one replaced. */
  #start(): void {
    this.#offset = 0
    this.#written = { since: 0, unfinished: this.#unfinished }
    if (Object.keys(this.#unfinished).length === 0) return
    this.#append({ ps: this.dyno.place, count: 0, text: '' }, this.#position)
  }

  /** At the end of the file, or of what makes sense in it. */
  #readNothing(text: string): boolean {
    if (text.length === CHUNK_BYTES) {
      this.#offset += CHUNK_BYTES
      return true
    }
    if (fstatSync(this.#descriptor).size < this.#offset) {
      this.#offset = 0
      this.#unfinished = {}
      this.#written = { since: 0, unfinished: {} }
      return true
    }
    if (this.#replaced) {
      this.close()
      return true
    }
    // What was written to the old file before it was replaced may be newer than our read.
    this.#replaced = this.#isReplaced()
    return this.#replaced
  }

  #isReplaced(): boolean {
    const now = statSync(this.#path, { throwIfNoEntry: false })
    return now !== undefined && now.ino !== fstatSync(this.#descriptor).ino
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
