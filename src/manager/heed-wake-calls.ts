/**
 * Hears from the region's router which apps are asked for in their sleep, and wakes them.
 * HAProxy connects and sends a line with the app's id; it says so again every second that
 * a request is held, so a call that is lost, or comes while the database is away, is
 * no matter. Anyone on this machine may call: so could they by a request.
 */

import { createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

import type { Pool } from 'pg'

import { wakeApp } from '../actions/wake-app.ts'
import { type Clock, SECOND } from '../lib/clock.ts'
import { listenOnSocket } from '../lib/listen-on-socket.ts'
import type { Log } from '../lib/log.ts'
import { type AppId, isUuid } from '../model/ids.ts'
import { inTransaction } from '../store/queryable.ts'

export interface WakeCalls {
  /** Where to listen: `<data>/routers/<region>/wake.sock`. */
  readonly socket: string
  readonly pool: Pool
  readonly clock: Clock
  readonly log: Log
}

/** A line is an id; who sends more without ending it is not HAProxy. */
const LONGEST_CALL = 1024
const CALL_ENDS_WITHIN = 5 * SECOND

/** Until the signal aborts; resolves once it listens, and rejects where it cannot. */
export async function heedWakeCalls(
  calls: WakeCalls,
  signal: AbortSignal,
): Promise<void> {
  const { socket: path, log } = calls
  const waker = new Waker(calls)
  const server = createServer((socket) => {
    hear(socket, (app) => waker.call(app))
  })
  server.on('error', (error) => log.error('cannot hear the router', error))
  // HAProxy's own user shares no group with us.
  await listenOnSocket(server, path, 0o666)
  signal.addEventListener('abort', () => server.close(), { once: true })
}

function hear(socket: Socket, call: (app: AppId) => void): void {
  socket.unref().setTimeout(CALL_ENDS_WITHIN, () => socket.destroy())
  socket.on('error', () => socket.destroy())
  socket.on('data', () => {
    if (socket.bytesRead > LONGEST_CALL) socket.destroy()
  })
  createInterface({ input: socket }).on('line', (line) => {
    if (isUuid(line)) call(line as AppId)
  })
}

/** One at a time, and no app twice in the row: a thousand calls are one transaction. */
class Waker {
  readonly #calls: WakeCalls
  readonly #wanted = new Set<AppId>()
  #busy = false

  constructor(calls: WakeCalls) {
    this.#calls = calls
  }

  call(app: AppId): void {
    this.#wanted.add(app)
    if (!this.#busy) void this.#work()
  }

  async #work(): Promise<void> {
    const { pool, clock, log } = this.#calls
    this.#busy = true
    for (const app of this.#wanted) {
      try {
        await inTransaction(pool, (tx) => wakeApp(tx, app, clock.now()))
      } catch (error) {
        log.error('cannot wake an app', error, { app })
      }
      this.#wanted.delete(app)
    }
    this.#busy = false
  }
}
