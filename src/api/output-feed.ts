/**
 * What builds and release phases print, for those who know the URL: anybody. So there are so many
 * readers and no more; one query asks for all of them whether there is news, and one at a time
 * fetches it, whoever wants the same with it. The database is others', too.
 */

import { Readable } from 'node:stream'

import type { FastifyReply } from 'fastify'

import { pause, SECOND } from '../lib/clock.ts'
import { type PlaceLimits, places } from '../lib/places.ts'
import { untilGone } from '../lib/until-gone.ts'
import { Problem } from '../model/problem.ts'
import {
  idOf,
  outputFrom,
  type Piece,
  type Printer,
  type Progress,
  progressOf,
} from '../store/output.ts'
import type { Queryable } from '../store/queryable.ts'

/** Each output's, and of all. */
const READERS: PlaceLimits = { ofEach: 20, ofAll: 1000 }
/** The database could not be asked. */
const UNKNOWN: Progress = { end: 0, final: false }
/** An app that was destroyed took its output with it. */
const NONE: Progress = { end: 0, final: true }
const BETWEEN = 0.1 * SECOND

interface Followed {
  readonly printer: Printer
  readers: number
  /** What the next look finds. */
  news: PromiseWithResolvers<Progress>
}

/** Sends what a printer prints, as it comes, to its end. */
export type OutputFeed = (printer: Printer, reply: FastifyReply) => FastifyReply

/** `kind`: of all its printers. */
export function outputFeed(
  db: Queryable,
  kind: 'build' | 'release',
  limits = READERS,
): OutputFeed {
  const followed = new Map<string, Followed>()
  const fetch = fetcher(db)
  const readers = places(limits)
  let looking = false

  return (printer, reply) => {
    const gone = untilGone(reply.raw)
    // Who has hung up meanwhile would never leave.
    if (gone.aborted) return reply.hijack()
    const output = Readable.from(read(join(printer, gone), gone))
    return reply.type('text/plain; charset=utf-8').send(output)
  }

  function join(printer: Printer, gone: AbortSignal): Followed {
    const id = idOf(printer)
    const leave = readers.take(id)
    if (typeof leave === 'string') {
      throw new Problem('rate_limit', 'Too many read this output at the moment.')
    }
    const its = followed.get(id) ?? {
      printer,
      readers: 0,
      news: Promise.withResolvers<Progress>(),
    }
    followed.set(id, its)
    its.readers += 1
    gone.addEventListener('abort', () => {
      leave()
      its.readers -= 1
      if (its.readers === 0) followed.delete(id)
    })
    if (!looking) void lookWhileRead()
    return its
  }

  async function* read(its: Followed, gone: AbortSignal): AsyncGenerator<string> {
    let position = 0
    while (!gone.aborted) {
      const { end, final } = await its.news.promise
      while (position < end && !gone.aborted) {
        const pieces = await fetch(its.printer, position)
        for (const { text, next } of pieces) {
          yield text
          position = next
        }
        if (pieces.length === 0) break
      }
      if (final && position >= end) break
    }
  }

  async function lookWhileRead(): Promise<void> {
    looking = true
    while (followed.size > 0) {
      const asked = [...followed.values()]
      const ids = asked.map((it) => idOf(it.printer))
      const progress = await progressOf(db, kind, ids).catch(() => undefined)
      for (const it of asked) {
        const { news } = it
        it.news = Promise.withResolvers()
        news.resolve(progress ? (progress.get(idOf(it.printer)) ?? NONE) : UNKNOWN)
      }
      await pause(progress ? BETWEEN : SECOND)
    }
    looking = false
  }
}

/** One at a time; who asks for the same gets the same. Nothing where the database is away. */
function fetcher(db: Queryable) {
  const underWay = new Map<string, Promise<readonly Piece[]>>()
  let last: Promise<unknown> = Promise.resolve()

  return (printer: Printer, position: number): Promise<readonly Piece[]> => {
    const key = `${idOf(printer)} ${position}`
    const before = underWay.get(key)
    if (before) return before
    const pieces = last
      .then(() => outputFrom(db, printer, position))
      .catch(() => [])
      .finally(() => underWay.delete(key))
    last = pieces
    underWay.set(key, pieces)
    return pieces
  }
}
