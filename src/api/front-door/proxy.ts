import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'

import { pause, SECOND } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import { pour } from '../../lib/pour.ts'
import { untilGone } from '../../lib/until-gone.ts'
import { connectPatiently } from './connect-patiently.ts'

/** A part that was killed is there again after a second or two. */
const PATIENCE = 10 * SECOND
const AFTER_FAILURE = 0.1 * SECOND

/** These speak of one connection, not of the message. Node frames each side's body itself. */
const OF_THE_CONNECTION = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** The header that tells a backend the client's address. */
const CLIENT = 'x-forwarded-for'

export interface Backend {
  /** The client's address, as it is told the backend. */
  readonly client: string
  /** As it is called in the answer while it is away. */
  readonly name: string
  readonly socketPath: string
  /**
   * What it streams may end anywhere, and the client asks for the rest: an answer that
   * breaks off is ended in good order, where otherwise the client's connection is reset.
   */
  readonly resumable?: boolean
  /** Milliseconds to wait for it while it is away. */
  readonly patience?: number
}

/**
 * Hands the request on and streams the answer back, both as they come. While the backend is
 * away the request waits for it; one that stays away is answered for: 503, in words. When
 * either side hangs up, so does the other.
 */
export async function proxy(
  incoming: IncomingMessage,
  reply: ServerResponse,
  backend: Backend,
  log: Log,
): Promise<void> {
  const { client, name, socketPath, resumable = false, patience = PATIENCE } = backend
  const gone = untilGone(reply)
  const tooLate = AbortSignal.any([gone, AbortSignal.timeout(patience)])
  try {
    const answer = await answerOf(incoming, { client, socketPath }, { gone, tooLate })
    reply.writeHead(answer.statusCode ?? 502, answer.statusMessage, passedOn(answer))
    // Lines that trickle in must not wait for the first of them.
    reply.flushHeaders()
    await pipeline(resumable ? untilItBreaks(answer) : answer, reply)
  } catch (error) {
    if (reply.destroyed) return
    if (reply.headersSent) return void reply.destroy()
    log.error(`cannot reach ${name}`, error)
    reply
      .writeHead(503, { 'content-type': 'text/plain', connection: 'close' })
      .end(`${name} is not running at the moment. Try again in a few seconds.\n`)
  }
}

interface Limits {
  /** The client hung up. */
  readonly gone: AbortSignal
  /** Nothing is tried again. */
  readonly tooLate: AbortSignal
}

/** What only asks may be asked again, of a backend that died over it. */
async function answerOf(
  incoming: IncomingMessage,
  to: Pick<Backend, 'client' | 'socketPath'>,
  { gone, tooLate }: Limits,
): Promise<IncomingMessage> {
  for (;;) {
    const socket = await connectPatiently(to.socketPath, tooLate)
    try {
      return await ask(incoming, { client: to.client, socket, signal: gone })
    } catch (error) {
      if (!onlyAsks(incoming) || tooLate.aborted) throw error
    }
    await pause(AFTER_FAILURE, tooLate)
  }
}

/** The body, if there is one, begins to be read only now that there is somebody to read it. */
function ask(
  incoming: IncomingMessage,
  to: { readonly client: string; readonly socket: Socket; readonly signal: AbortSignal },
): Promise<IncomingMessage> {
  const outgoing = request({
    createConnection: () => to.socket,
    method: incoming.method ?? 'GET',
    path: incoming.url ?? '/',
    headers: {
      ...passedOn(incoming),
      // Ours, whatever the client says: the backend sees a unix socket.
      [CLIENT]: to.client,
      // We end it, once the client has its answer: a backend that did while the body still comes
      // would cut off its own answer, too.
      connection: 'keep-alive',
    },
    signal: to.signal,
  })
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve)
    outgoing.on('error', reject)
  })
  // The answer may come before the request has ended, and even instead of its rest.
  if (onlyAsks(incoming)) outgoing.end()
  else void pour(incoming, outgoing)
  return answered
}

function onlyAsks({ method, headers }: IncomingMessage): boolean {
  const hasBody = headers['transfer-encoding'] ?? headers['content-length'] ?? '0'
  return (method === 'GET' || method === 'HEAD') && hasBody === '0'
}

async function* untilItBreaks(answer: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    yield* answer as AsyncIterable<Buffer>
  } catch {
    // As good an end as any.
  }
}

function passedOn(message: IncomingMessage): Record<string, string | string[]> {
  const named = new Set(
    (message.headers.connection ?? '').split(',').map((it) => it.trim().toLowerCase()),
  )
  const headers: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(message.headers)) {
    if (value === undefined || OF_THE_CONNECTION.has(name) || named.has(name)) continue
    headers[name] = value
  }
  if (message.headers['transfer-encoding'] && message.statusCode === undefined) {
    headers['transfer-encoding'] = 'chunked'
  }
  return headers
}
