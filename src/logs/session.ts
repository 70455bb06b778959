/**
 * One reader of an app's log, from the history on to the lines that come. A reader that is
 * too slow costs a bounded amount of memory and loses lines, of which it is told (L11).
 *
 * As Server-Sent Events each message carries the number of its last line, with which a
 * reader that lost its connection goes on where it was.
 */

import type { ServerResponse } from 'node:http'

import type { Clock } from '../lib/clock.ts'
import type { LogSession } from '../store/log-session-readers.ts'
import {
  after,
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

/** What the socket may hold before lines wait. */
const WRITTEN_BYTES = 1024 * 1024
/** How many lines may wait. */
const WAITING_LINES = 1024
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
  const stream = new SessionStream(response, reading)
  if (!session.tail) {
    if (events) response.write(`retry: ${RETRY}\n\n`)
    stream.history()
    response.end()
    return
  }
  response.flushHeaders()
  stream.history()
  // Also for a reader who has had no line yet.
  if (events) response.write(`id: ${channel.journal.last}\n\n`)
  channel.readers.add(stream)
  response.on('close', () => channel.readers.delete(stream))
  response.on('drain', () => stream.drained())
}

class SessionStream implements Reader {
  readonly #response: ServerResponse
  readonly #reading: Reading
  readonly #filter: Filter
  #waiting: Batch[] = []
  #lost: { count: number; since: string; last: number } | undefined

  constructor(response: ServerResponse, reading: Reading) {
    this.#response = response
    this.#reading = reading
    const { source, dyno } = reading.session
    this.#filter = { source: source ?? undefined, dyno: dyno ?? undefined }
  }

  history(): void {
    const { channel, session, seen } = this.#reading
    const kept = channel.journal.read()
    if (seen === undefined || seen > channel.journal.last) {
      const oldest = channel.journal.last - KEPT_LINES
      const recent = kept.flatMap((batch) => after(oldest, batch) ?? [])
      for (const it of lastLines(recent, this.#filter, session.lines)) this.#write(it)
      return
    }
    const [first] = kept
    if (first && first.first > seen + 1)
      this.#lose(first.first - seen - 1, first.first - 1)
    this.#sayLost()
    for (const batch of kept) {
      const piece = after(seen, batch)
      if (piece && matches(this.#filter, piece)) this.#write(piece)
    }
  }

  take(batch: Batch): void {
    if (!matches(this.#filter, batch)) return
    if (this.#waiting.length === 0 && this.#response.writableLength < WRITTEN_BYTES) {
      this.#write(batch)
      return
    }
    this.#waiting.push(batch)
    let lines = this.#waiting.reduce((sum, it) => sum + it.count, 0)
    while (lines > WAITING_LINES) {
      const dropped = this.#waiting.shift()
      if (!dropped) break
      lines -= dropped.count
      this.#lose(dropped.count, lastOf(dropped))
    }
  }

  drained(): void {
    this.#sayLost()
    for (const batch of this.#waiting) this.#write(batch)
    this.#waiting = []
  }

  end(): void {
    this.#response.end()
  }

  #lose(count: number, last: number): void {
    const { since, count: before } = this.#lost ?? {
      since: displayTime(this.#reading.clock.now()),
      count: 0,
    }
    this.#lost = { since, last, count: before + count }
  }

  #sayLost(): void {
    if (!this.#lost) return
    const { count, since, last } = this.#lost
    this.#lost = undefined
    const time = displayTime(this.#reading.clock.now())
    const line = `Error L11 (Tail buffer overflow) -> This tail session dropped ${count} messages since ${since}.`
    this.#put(`${time}${label('heroku', 'logplex')}${line}\n`, last)
  }

  #write(batch: Batch): void {
    this.#put(batch.text, lastOf(batch))
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
