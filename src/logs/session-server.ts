/**
 * `GET /sessions/<token>`: where `heroku logs` reads. The token in the path is the reader's only right.
 * `GET /counts` is for the other parts alone: the front door lets none of its clients come to it.
 */

import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'

import type { Pool } from 'pg'

import { type Clock, MINUTE, pause, SECOND } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { type SharedPlaceLimits, sharedPlaces } from '../lib/places.ts'
import { untilGone } from '../lib/until-gone.ts'
import { within } from '../lib/within.ts'
import type { AppId } from '../model/ids.ts'
import { digestOf } from '../model/token.ts'
import {
  type LogSession,
  openLogSession,
  tidyLogSessions,
} from '../store/log-session-readers.ts'
import type { Channels } from './channels.ts'
import { answerSession } from './session.ts'

/** A reader never waits longer than this for lines on their way. */
const DRAIN_DEADLINE = 5 * SECOND
const KEEP_ALIVE = 25 * SECOND
const CLOSE_DEADLINE = SECOND
/**
 * How many read at once: an app's log, all logs, and by sessions that one account asked for. Who knows the
 * token of a session may read it as often as they like, and each reader takes a connection and some
 * memory, here and at the door.
 */
const READERS: SharedPlaceLimits = { ofEach: 50, ofAll: 1000, ofAccount: 100 }
/** Seconds. */
const AGAIN_AFTER = '30'
const FULL = {
  each: [429, 'As many read the log of this app as may. Try again when one has ended.\n'],
  account: [
    429,
    'Your account reads as many logs as it may at once. Try again when one has ended.\n',
  ],
  all: [503, 'Too many read logs at the moment. Try again in a minute.\n'],
} as const

interface Deps {
  readonly pool: Pool
  readonly channels: Channels
  /** Takes in what has been written of the app up to now. */
  readonly drain: (app: AppId) => Promise<void>
  /** What was counted of requests, for `/counts`. */
  readonly counts: () => unknown
  readonly clock: Clock
  readonly log: Log
}

interface Reader {
  readonly session: LogSession
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly gone: AbortSignal
}

export interface SessionServer {
  readonly http: Server
  /** Keeps open sessions alive and deletes old ones, until the signal aborts. */
  tidy(signal: AbortSignal): Promise<void>
  /** Ends what is being read in good order: the CLI comes back then, but not after a reset. */
  close(): Promise<void>
}

export function sessionServer(deps: Deps): SessionServer {
  const tails = new Map<
    ServerResponse,
    { readonly id: string; readonly events: boolean }
  >()
  const readers = sharedPlaces(READERS)
  const http = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      deps.log.error('cannot answer a log session', error)
      if (!response.headersSent) response.writeHead(503)
      response.end()
    })
  })
  const keepAlive = setInterval(() => {
    for (const [tail, { events }] of tails) {
      if (events && tail.writableLength === 0) tail.write(':\n\n')
    }
  }, KEEP_ALIVE)
  http.on('close', () => clearInterval(keepAlive))
  return { http, tidy, close }

  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    if (request.method === 'GET' && request.url === '/counts') return tellCounts(response)
    const session = await sessionOf(request)
    if (!session) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('Not found\n')
      return
    }
    const gone = untilGone(response)
    // Who has hung up meanwhile would never leave.
    if (gone.aborted) return
    const leave = readers.take(session.app, session.account ?? session.app)
    if (typeof leave === 'string') return turnAway(response, leave)
    gone.addEventListener('abort', leave)
    await withinDeadline(deps.drain(session.app))
    if (!gone.aborted) read({ session, request, response, gone })
  }

  function tellCounts(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(deps.counts()))
  }

  /** Undefined: what is asked for is none that is open. */
  async function sessionOf({
    method,
    url = '',
  }: IncomingMessage): Promise<LogSession | undefined> {
    const token = /^\/sessions\/([^/?]+)(\?|$)/.exec(url)?.[1]
    if (method !== 'GET' || token === undefined) return undefined
    return openLogSession(deps.pool, digestOf(token))
  }

  function read({ session, request, response, gone }: Reader): void {
    const { headers } = request
    const events = headers.accept?.includes('text/event-stream') ?? false
    if (session.tail) {
      tails.set(response, { id: session.id, events })
      gone.addEventListener('abort', () => tails.delete(response))
    }
    const channel = deps.channels.of(session.app)
    const seen = numberOf(headers['last-event-id'])
    answerSession(response, { session, channel, events, seen, clock: deps.clock })
  }

  /** What is late is not waited for, and what fails is another's to report. */
  async function withinDeadline(work: Promise<void>): Promise<void> {
    const settled = work.catch((error: unknown) =>
      deps.log.error('cannot take in the latest lines', error),
    )
    await within(DRAIN_DEADLINE, settled)
  }

  async function close(): Promise<void> {
    const done = new AbortController()
    http.close(() => done.abort())
    for (const tail of tails.keys()) tail.end()
    await pause(CLOSE_DEADLINE, done.signal)
  }

  async function tidy(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const beingRead = [...tails.values()].map((tail) => tail.id)
      await tidyLogSessions(deps.pool, beingRead).catch((error: unknown) =>
        deps.log.error('cannot tidy log sessions', error),
      )
      await pause(MINUTE, signal)
    }
  }
}

function turnAway(response: ServerResponse, full: keyof typeof FULL): void {
  const [status, text] = FULL[full]
  response.writeHead(status, {
    'content-type': 'text/plain',
    'retry-after': AGAIN_AFTER,
  })
  response.end(text)
}

function numberOf(header: string | string[] | undefined): number | undefined {
  return typeof header === 'string' && /^\d{1,15}$/.test(header)
    ? Number(header)
    : undefined
}
