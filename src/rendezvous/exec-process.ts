import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'

import type { ServerChannel } from 'ssh2'

import { execInside, type ExecCommand } from '../actions/exec-inside.ts'
import { MINUTE, pause, SECOND } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { TerminalSize } from '../model/terminal.ts'
import { type Database, inTransaction } from '../store/queryable.ts'
import { isSettled, type PromisedProcess } from '../store/rendezvous.ts'
import { awaitStream } from './await-stream.ts'

export interface ExecDeps {
  readonly pool: Database
  /** Where a region's dynos are. */
  dynos(region: string): string
  readonly log: Log
}

export interface OpenProcess {
  /** Tells its terminal, once there is one. */
  resize(size: TerminalSize): Promise<void>
}

const STARTS_WITHIN = MINUTE
const NOT_STARTED =
  "Not started: the dyno is not up any more, or you are not let in any more. Or the app's log says why.\r\n"
const FAILED = 1

/** Starts a process for the channel, and joins the two until either is over. */
export function openProcess(
  channel: ServerChannel,
  clientUser: string,
  { deps, ...command }: ExecCommand & { readonly deps: ExecDeps },
): OpenProcess {
  const gone = new AbortController()
  channel.once('close', () => gone.abort())
  channel.on('error', () => {})
  const started = start().catch((error: unknown) => {
    deps.log.error('cannot start a process for a client', error)
    refuse(channel, NOT_STARTED)
    return undefined
  })
  return {
    async resize({ columns, rows }) {
      const process = await started
      if (!process || !command.terminal) return
      await tell(join(directoryOf(process), 'ctl'), `1 ${rows} ${columns}\n`)
    },
  }

  async function start(): Promise<PromisedProcess | undefined> {
    const process = await inTransaction(deps.pool, (tx) =>
      execInside(tx, clientUser, command),
    )
    const stream = process && (await streamOf(process))
    if (!stream) refuse(channel, NOT_STARTED)
    else void joined(channel, stream)
    return process
  }

  function streamOf(process: PromisedProcess): Promise<Socket | undefined> {
    return awaitStream(
      join(directoryOf(process), 'stream.sock'),
      () => isSettled(deps.pool, process),
      AbortSignal.any([gone.signal, AbortSignal.timeout(STARTS_WITHIN)]),
    )
  }

  function directoryOf({ dyno, entry, region }: PromisedProcess): string {
    return join(deps.dynos(region), dyno, entry ?? '')
  }
}

/**
 * The CLI begins to read its input with the first output it gets, and where that is no terminal
 * it says at the end of it that it has ended, and breaks if it can't any more.
 */
const SAYS_SO_WITHIN = SECOND
const END_OF_INPUT = 0x04

/** What the process printed is sent to its end; a client that goes takes its process with it. */
async function joined(channel: ServerChannel, process: Socket): Promise<void> {
  const inputEnded = new AbortController()
  let greetedAt: number | undefined
  process.once('data', () => (greetedAt = performance.now()))
  channel.on('data', (bytes: Buffer) => {
    if (bytes.at(-1) === END_OF_INPUT) inputEnded.abort()
  })
  for (const event of ['end', 'close']) channel.once(event, () => inputEnded.abort())
  channel.once('close', () => process.destroy())
  channel.pipe(process)
  process.pipe(channel, { end: false })

  // It may have ended before anybody listened.
  await finished(process, { writable: false }).catch(() => {
    // Its other side is gone, with all that it had to say said.
  })
  process.destroy()
  const since = greetedAt === undefined ? Infinity : performance.now() - greetedAt
  await pause(Math.max(0, SAYS_SO_WITHIN - since), inputEnded.signal)
  channel.exit(0)
  channel.end()
}

/** Tells the client why it gets no process. */
export function refuse(channel: ServerChannel, why: string): void {
  channel.stderr.write(why)
  channel.exit(FAILED)
  channel.end()
}

/** conmon's pipe, which nobody reads any more once the process is over. */
async function tell(control: string, text: string): Promise<void> {
  try {
    const pipe = await open(control, constants.O_WRONLY | constants.O_NONBLOCK)
    await pipe.write(text)
    await pipe.close()
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (!['ENOENT', 'ENXIO', 'EPIPE'].includes(code)) throw error
  }
}
