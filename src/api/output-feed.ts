/**
 * What builds and release phases print, for those who know the URL: anybody. So there are so many
 * readers and no more; one query asks for all of them whether there is news, and one at a time
 * fetches it, whoever wants the same with it. The database is others', too.
 */

import { Readable } from 'node:stream'

import type { FastifyReply } from 'fastify'

import { pause, SECOND } from '../lib/clock.ts'
import { type SharedPlaceLimits, sharedPlaces } from '../lib/places.ts'
import { untilGone } from '../lib/until-gone.ts'
import type { AccountId } from '../model/ids.ts'
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

/**
 * Each output's, of all, and of those which one account had printed: as of logs, or by fifty builds it could take
 * all places.
 */
const READERS: SharedPlaceLimits = { ofEach: 20, ofAll: 1000, ofAccount: 100 }
const TOO_MANY = 'Too many read this output at the moment.'
const FULL = {
  each: TOO_MANY,
  account:
    'As many read the outputs of this account as may. Try again when one has ended.',
  all: TOO_MANY,
} as const
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

export interface Output {
  readonly printer: Printer
  /** Who asked for the build, or made the release. */
  readonly account: AccountId
}

/** Sends what a printer prints, as it comes, to its end; the Problem `rate_limit` where too many read. */
export type OutputFeed = (output: Output, reply: FastifyReply) => FastifyReply

/** `kind`: of all its printers. */
export function outputFeed(
  db: Queryable,
  kind: 'build' | 'release',
  limits = READERS,
): OutputFeed {
  const followed = new Map<string, Followed>()
  const fetch = fetcher(db)
  const readers = sharedPlaces(limits)
  let looking = false

  return (output, reply) => {
    const gone = untilGone(reply.raw)
    // Who has hung up meanwhile would never leave.
    if (gone.aborted) return reply.hijack()
    const text = Readable.from(read(join(output, gone), gone))
    return reply.type('text/plain; charset=utf-8').send(text)
  }

  function join({ printer, account }: Output, gone: AbortSignal): Followed {
    const id = idOf(printer)
    const leave = enter(id, account)
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

  /** Takes a place for a reader; returns what to call at its end. */
  function enter(id: string, account: AccountId): () => void {
    const leave = readers.take(id, account)
    if (typeof leave === 'string') throw new Problem('rate_limit', FULL[leave])
    return leave
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
