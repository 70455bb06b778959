/**
 * Whose word is taken for where a request comes from: the proxies that the operator names, and
 * as a rule nobody. Anybody else may write what they like into `X-Forwarded-For`.
 */

import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'

import { isIn } from '../model/reach.ts'

/** Of who asks. It has hung up already: `::`, which is nobody's. */
const NOBODY = '::'

/**
 * The address that a request comes from: its connection's, or, as long as that is a trusted
 * proxy's, the one before that it tells of. Each adds its own client at the end.
 */
export function clientOf(
  {
    socket,
    headers,
  }: Pick<IncomingMessage, 'headers'> & {
    readonly socket: { readonly remoteAddress?: string | undefined }
  },
  proxies: readonly string[],
): string {
  let client = plain(socket.remoteAddress ?? NOBODY)
  if (proxies.length === 0) return client
  // Sent twice, it comes joined.
  const told = String(headers['x-forwarded-for'] ?? '').split(',')
  for (const before of told.map((it) => plain(it.trim())).toReversed()) {
    if (!isIn(client, proxies) || isIP(before) === 0) break
    client = before
  }
  return client
}

/** An IPv4 address that came to a socket of IPv6 is written otherwise. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '')
}
