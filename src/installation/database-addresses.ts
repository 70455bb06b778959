import { isIPv4, Socket } from 'node:net'

import type { Client, Pool } from 'pg'

/**
 * The IPv4 addresses that the pool's connections have led to so far; none by a Unix socket. What is
 * connected knows them better than a name server: that tells another of several each time. To be called
 * before the first connection.
 */
export function databaseAddresses(pool: Pool): () => readonly string[] {
  const seen = new Set<string>()
  pool.on('connect', (client) => {
    const { stream } = (client as unknown as Client).connection
    const address = stream instanceof Socket ? stream.remoteAddress : undefined
    if (address !== undefined && isIPv4(address)) seen.add(address)
  })
  return () => [...seen].toSorted()
}
