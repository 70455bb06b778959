import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'

import type { Log } from '../../lib/log.ts'

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

export interface Backend {
  /** As it is called in the answer while it is away. */
  readonly name: string
  readonly socketPath: string
}

/**
 * Hands the request on and streams the answer back, both as they come. A backend that is
 * away is answered for: 503, in words. When either side hangs up, so does the other.
 */
export async function proxy(
  incoming: IncomingMessage,
  reply: ServerResponse,
  { name, socketPath }: Backend,
  log: Log,
): Promise<void> {
  const outgoing = request({
    socketPath,
    method: incoming.method ?? 'GET',
    path: incoming.url ?? '/',
    headers: passedOn(incoming),
  })
  reply.once('close', () => outgoing.destroy())
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve)
    outgoing.once('error', reject)
  })
  // The answer may come before the request has ended, and even instead of its rest.
  const sent = pipeline(incoming, outgoing).catch(() => {})
  try {
    const answer = await answered
    reply.writeHead(answer.statusCode ?? 502, answer.statusMessage, passedOn(answer))
    // Lines that trickle in must not wait for the first of them.
    reply.flushHeaders()
    await pipeline(answer, reply)
    await sent
  } catch (error) {
    if (reply.destroyed) return
    if (reply.headersSent) return void reply.destroy()
    log.error(`cannot reach ${name}`, error)
    reply
      .writeHead(503, { 'content-type': 'text/plain', connection: 'close' })
      .end(`${name} is not running at the moment. Try again in a few seconds.\n`)
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
