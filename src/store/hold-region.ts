/**
 * One manager per region: whoever holds the region's lock. It lives in a connection of its
 * own, so a manager that dies lets go of it at once, and one that loses its database must end.
 */

import { Client, type Pool } from 'pg'

/** Resolves once we hold the region. `lost` is called when we don't any more. */
export async function holdRegion(
  pool: Pool,
  region: string,
  { lost, signal }: { lost: (error: unknown) => void; signal: AbortSignal },
): Promise<void> {
  const client = new Client({ ...pool.options, query_timeout: 0 })
  client.on('error', lost)
  await client.connect()
  signal.addEventListener('abort', () => void client.end().catch(() => {}), {
    once: true,
  })
  await client.query('select pg_advisory_lock(hashtext($1))', [`manager of ${region}`])
}
