/** A client and its process, joined until either is gone. */

import { once } from 'node:events'
import type { Socket } from 'node:net'

import { pause, SECOND } from '../lib/clock.ts'
import type { Client } from './client.ts'
import { holdExitMarker } from './exit-marker.ts'

/** The CLI says that its input has ended by this, in a record of its own, and then waits. */
const END_OF_INPUT = 0x04
/**
 * A CLI whose input is no terminal says that it has ended, and breaks if it can't any more. To
 * whom a terminal was promised mostly has one and says nothing, or says so soon after it was
 * greeted, having nothing to read.
 */
const FAREWELL = { ofTerminal: 0.15 * SECOND, ofPipes: 2 * SECOND }
const SAYS_SO_WITHIN = SECOND

export interface SessionManner {
  /** A terminal knows what the end of input is; a pipe is closed. */
  readonly terminal: boolean
  /** When the client was told to go on, by `performance.now()`. */
  readonly greetedAt: number
  /** Milliseconds without a byte either way. */
  readonly idle: number
}

export type SessionEnd = 'process over' | 'client gone' | 'idle'

/**
 * Resolves once nothing more is to come from the process, or nobody is there to hear it. The
 * client is left to be told why, and ended.
 */
export async function joinSession(
  client: Client,
  process: Socket,
  manner: SessionManner,
): Promise<SessionEnd> {
  const inputEnded = new AbortController()
  const idle = new AbortController()
  const timer = setTimeout(() => idle.abort(), manner.idle)
  try {
    return await Promise.race([
      passOutput().catch(() => 'client gone' as const),
      passInput(),
      aborted(client.gone).then(() => 'client gone' as const),
      aborted(idle.signal).then(() => 'idle' as const),
    ])
  } finally {
    clearTimeout(timer)
    process.destroy()
  }

  async function passOutput(): Promise<SessionEnd> {
    let held: Buffer = Buffer.alloc(0)
    for await (const bytes of output(process)) {
      timer.refresh()
      const next = holdExitMarker(Buffer.concat([held, bytes]))
      for (const piece of next.pieces) await client.send(piece)
      held = next.held
    }
    if (held.length > 0) await client.send(held)
    const left = SAYS_SO_WITHIN - (performance.now() - manner.greetedAt)
    const farewell = manner.terminal ? FAREWELL.ofTerminal : FAREWELL.ofPipes
    await pause(Math.max(farewell, left), inputEnded.signal)
    return 'process over'
  }

  async function passInput(): Promise<SessionEnd> {
    for (;;) {
      const { done, value: record } = await client.records.next()
      if (done) return 'client gone'
      timer.refresh()
      const isEnd = record.length === 1 && record[0] === END_OF_INPUT
      if (isEnd) inputEnded.abort()
      if (isEnd && !manner.terminal) process.end()
      else if (process.writable) await written(process, record)
    }
  }
}

async function* output(process: Socket): AsyncGenerator<Buffer> {
  try {
    yield* process as AsyncIterable<Buffer>
  } catch {
    // Its other side is gone, with all that it had to say said.
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}

function written(process: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    process.write(bytes, () => resolve())
  })
}
