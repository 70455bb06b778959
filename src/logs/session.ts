/**
 * One reader of an app's log, from the history on to the lines that come. What a reader is too
 * slow to take is not kept for it, but read from the journal once it takes more: it costs little
 * memory, and loses the lines that have gone from there, of which it is told (L11).
 *
 * As Server-Sent Events each message carries the number of its last line, with which a
 * reader that lost its connection goes on where it was.
 */

import type { ServerResponse } from 'node:http'

import type { Clock } from '../lib/clock.ts'
import type { LogSession } from '../store/log-session-readers.ts'
import {
  type Batch,
  displayTime,
  type Filter,
  label,
  lastLines,
  lastOf,
  matches,
} from './batch.ts'
import type { Channel, Reader } from './channels.ts'
import { KEPT_LINES } from './journal.ts'

/** The CLI waits so long after the end of a history before it believes in it; milliseconds. */
const RETRY = 10

export interface Reading {
  readonly session: LogSession
  readonly channel: Channel
  /** Server-Sent Events, or else plain text. */
  readonly events: boolean
  /** The number of the last line that the reader has. */
  readonly seen: number | undefined
  readonly clock: Clock
}

/** Answers with the history, and goes on with live lines if the session tails. */
export function answerSession(response: ServerResponse, reading: Reading): void {
  const { session, channel, events } = reading
  response.writeHead(200, {
    'content-type': events ? 'text/event-stream' : 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    connection: 'close',
  })
  if (events && !session.tail) response.write(`retry: ${RETRY}\n\n`)
  response.flushHeaders()
  const stream = new SessionStream(response, reading)
  channel.readers.add(stream)
  response.on('close', () => channel.readers.delete(stream))
  response.on('drain', () => stream.goOn())
  stream.goOn()
}

class SessionStream implements Reader {
  readonly #response: ServerResponse
  readonly #reading: Reading
  readonly #filter: Filter
  /** Of a session that does not tail: the number of its last line. */
  readonly #last: number
  /** The number of the last line that it is done with. */
  #seen: number
  /** Undefined: it has all there is, and gets the next lines as they come. */
  #unread: Generator<Batch, void> | undefined
  #behindSince: Date

  constructor(response: ServerResponse, reading: Reading) {
    this.#response = response
    this.#reading = reading
    const { session, channel, clock } = reading
    const { source, dyno, tail } = session
    this.#filter = { source: source ?? undefined, dyno: dyno ?? undefined }
    this.#last = tail ? Infinity : channel.journal.last
    this.#seen = this.#seenBefore()
    this.#unread = channel.journal.read(this.#seen)
    this.#behindSince = clock.now()
  }

  /** Writes what it has not had, as long as that is taken. */
  goOn(): void {
    const response = this.#response
    while (this.#unread && !response.writableNeedDrain && !response.writableEnded) {
      this.#writeNext(this.#unread)
    }
  }

  take(batch: Batch): void {
    if (this.#unread || this.#response.writableEnded) return
    if (!this.#response.writableNeedDrain) return this.#write(batch)
    const { channel, clock } = this.#reading
    this.#unread = channel.journal.read(this.#seen)
    this.#behindSince = clock.now()
  }

  end(): void {
    this.#response.end()
  }

  /** Where to begin. */
  #seenBefore(): number {
    const { channel, session, seen } = this.#reading
    const { last } = channel.journal
    if (seen !== undefined && seen <= last) return seen
    // Not their text: it may be much.
    const recent = Array.from(channel.journal.read(last - KEPT_LINES), (it) => ({
      ...it,
      text: '',
    }))
    const [first] = lastLines(recent, this.#filter, session.lines)
    return first ? first.first - 1 : last
  }

  #writeNext(unread: Generator<Batch, void>): void {
    const next = unread.next()
    if (!next.done && next.value.first <= this.#last) return this.#write(next.value)
    this.#unread = undefined
    const { session, events } = this.#reading
    if (!session.tail) this.end()
    // Also for a reader whom no line concerned yet.
    else if (events) this.#response.write(`id: ${this.#seen}\n\n`)
  }

  #write(batch: Batch): void {
    const lost = batch.first - this.#seen - 1
    if (lost > 0) this.#sayLost(lost, batch.first - 1)
    this.#seen = lastOf(batch)
    if (matches(this.#filter, batch)) this.#put(batch.text, this.#seen)
  }

  #sayLost(count: number, last: number): void {
    const time = displayTime(this.#reading.clock.now())
    const since = displayTime(this.#behindSince)
    const line = `Error L11 (Tail buffer overflow) -> This tail session dropped ${count} messages since ${since}.`
    this.#put(`${time}${label('heroku', 'logplex')}${line}\n`, last)
  }

  /** `last`: the number of the last of the lines. */
  #put(text: string, last: number): void {
    const { events, session } = this.#reading
    if (!events) {
      this.#response.write(text, 'latin1')
      return
    }
    const id = session.tail ? `id: ${last}\n` : ''
    const data = text.slice(0, -1).replaceAll('\n', '\ndata: ')
    this.#response.write(`${id}data: ${data}\n\n`, 'latin1')
  }
}
