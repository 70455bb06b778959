/**
 * The rendezvous protocol, as the CLI speaks it: the client says a secret, is told that it was
 * heard, and is then joined with the process that was promised to whoever knows the secret.
 * That the client has come is what the manager waits for to start it; that it went is told too.
 */

import type { Socket } from 'node:net'
import { join } from 'node:path'

import { HOUR, MINUTE, pause, SECOND } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { digestOf } from '../model/token.ts'
import { type Database, inTransaction } from '../store/queryable.ts'
import {
  attachClient,
  detachClient,
  isSettled,
  isStillLetIn,
  type PromisedProcess,
} from '../store/rendezvous.ts'
import { awaitStream } from './await-stream.ts'
import { type Client, clientBehind } from './client.ts'
import { joinSession } from './join-session.ts'
import { readSecret } from './read-secret.ts'
import { untilShutOut } from './until-shut-out.ts'

export interface RendezvousDeps {
  readonly pool: Database
  /** Where a region's dynos are. */
  dynos(region: string): string
  readonly log: Log
  /** Aborts when this process is to end; its successor says that its clients are gone. */
  readonly signal: AbortSignal
  /** Milliseconds. Default: that of `clientBehind`. */
  readonly probeEvery?: number
  /** Milliseconds without a byte, after which a session is ended. Default: an hour. */
  readonly idle?: number
  /** Milliseconds between two looks whether a client may still be here. Default: that of `untilShutOut`. */
  readonly lookEvery?: number
}

/** The CLI throws its first piece away: it only says that the connection stands. */
const BANNER = 'rendezvous\r\n'
const UNKNOWN = 'This session is over, or never was: run the command again.\r\n'
const NOT_STARTED = 'The dyno could not be started: its log says why.\r\n'
const IDLE_FOR = HOUR
const IDLE = `\r\nNothing was said for ${IDLE_FOR / MINUTE} minutes: the session is over.\r\n`
const SHUT_OUT = '\r\nYou are not let in any more: the session is over.\r\n'
const NOT_LET_IN = new Error(SHUT_OUT)
const HANGS_UP_WITHIN = SECOND
const SECRET_WITHIN = 10 * SECOND
/** Longer than the manager tries. */
const STARTS_WITHIN = 3 * MINUTE
const TRY_AGAIN_AFTER = SECOND

/** `socket`: the front door's. Resolves when the session is over and said to be. */
export async function serveClient(socket: Socket, deps: RendezvousDeps): Promise<void> {
  const client = clientBehind(socket, deps.probeEvery)
  const impatience = setTimeout(() => socket.destroy(), SECRET_WITHIN)
  const secret = await readSecret(client.records)
  clearTimeout(impatience)
  const process = secret === undefined ? undefined : await admitted(secret, deps)
  await say(client, BANNER)
  if (!process) {
    await say(client, UNKNOWN)
    return client.end()
  }
  const over = new AbortController()
  void endOnceShutOut()
  try {
    await converse(client, process, deps)
  } finally {
    over.abort()
    client.end()
    await detached(process, deps)
  }

  async function endOnceShutOut(): Promise<void> {
    if (!process) return
    const isLetIn = () => isStillLetIn(deps.pool, process)
    const gone = AbortSignal.any([client.gone, over.signal])
    const watch = { every: deps.lookEvery, gone, log: deps.log }
    if (!(await untilShutOut(isLetIn, watch))) return
    void say(client, SHUT_OUT)
    await pause(HANGS_UP_WITHIN, client.gone)
    socket.destroy()
  }
}

async function admitted(
  secret: string,
  { pool }: RendezvousDeps,
): Promise<PromisedProcess | undefined> {
  try {
    return await inTransaction(pool, async (tx) => {
      const process = await attachClient(tx, digestOf(secret))
      // So that it is as if nobody had come.
      if (process && !(await isStillLetIn(tx, process))) throw NOT_LET_IN
      return process
    })
  } catch (error) {
    if (error === NOT_LET_IN) return undefined
    throw error
  }
}

async function converse(
  client: Client,
  process: PromisedProcess,
  deps: RendezvousDeps,
): Promise<void> {
  const greetedAt = performance.now()
  const { dyno, entry, region, hasTerminal: terminal } = process
  const path = join(deps.dynos(region), dyno, entry ?? '', 'stream.sock')
  const signal = AbortSignal.any([client.gone, AbortSignal.timeout(STARTS_WITHIN)])
  const stream = await awaitStream(path, () => settled(process, deps), signal)
  // No farewell is waited for: who takes nothing any more must not keep a process from its end.
  if (!stream) return void say(client, NOT_STARTED)
  const idle = deps.idle ?? IDLE_FOR
  const end = await joinSession(client, stream, { terminal, greetedAt, idle })
  if (end === 'idle') void say(client, IDLE)
}

/** What can't be found out is not so. */
async function settled(process: PromisedProcess, deps: RendezvousDeps): Promise<boolean> {
  try {
    return await isSettled(deps.pool, process)
  } catch (error) {
    deps.log.error('cannot ask after a process', error, { dyno: process.dyno })
    return false
  }
}

/** Until it is so: a process whose client is gone must not run on for want of a database. */
async function detached(process: PromisedProcess, deps: RendezvousDeps): Promise<void> {
  const { pool, log, signal } = deps
  while (!signal.aborted) {
    try {
      return await inTransaction(pool, (tx) => detachClient(tx, process))
    } catch (error) {
      log.error('cannot say that a client is gone', error, { dyno: process.dyno })
    }
    await pause(TRY_AGAIN_AFTER, signal)
  }
}

async function say(client: Client, text: string): Promise<void> {
  await client.send(Buffer.from(text)).catch(() => {
    // It is gone, and need not be told.
  })
}
