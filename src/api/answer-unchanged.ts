import { createHash } from 'node:crypto'

import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * An `onSend` hook: what was read gets an ETag, and whoever has it already is told so by
 * 304, without it. Streams are passed on as they are.
 */
export async function answerUnchanged(
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
): Promise<unknown> {
  if (request.method !== 'GET' || reply.statusCode !== 200) return payload
  if (typeof payload !== 'string') return payload
  // An answer names itself by the address that it was asked at: see heed-if-match.ts, which asks at another.
  const said = payload.replaceAll(`${request.protocol}://${request.host}/`, '/')
  const etag = `W/"${createHash('sha256').update(said).digest('base64url')}"`
  reply.header('etag', etag)
  const known = (request.headers['if-none-match'] ?? '').split(',').map((it) => it.trim())
  if (!known.includes(etag)) return payload
  reply.status(304)
  return ''
}
