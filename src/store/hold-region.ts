/**
 * One manager per region: whoever holds the region's lock. It lives in a connection of its
 * own, so a manager that dies lets go of it at once, and one that loses its database must end.
 */

import { Client, type Pool } from 'pg'

import { pause, SECOND } from '../lib/clock.ts'

export interface Holding {
  /** Called when we hold the region no more. */
  readonly lost: (error: unknown) => void
  readonly signal: AbortSignal
}

/** PostgreSQL may be on its way up, as we are. */
const TRIES = 60
const BETWEEN = SECOND / 2

/** Resolves once we hold the region; rejects when there is no database for half a minute. */
export async function holdRegion(
  pool: Pool,
  region: string,
  holding: Holding,
): Promise<void> {
  const client = await connected(pool, holding.signal)
  client.on('error', holding.lost)
  holding.signal.addEventListener('abort', () => void client.end().catch(() => {}), {
    once: true,
  })
  await client.query('select pg_advisory_lock(hashtext($1))', [`manager of ${region}`])
}

async function connected(pool: Pool, signal: AbortSignal): Promise<Client> {
  for (let tries = 1; ; tries++) {
    const client = new Client({ ...pool.options, query_timeout: 0, statement_timeout: 0 })
    try {
      await client.connect()
      return client
    } catch (error) {
      await client.end().catch(() => {})
      if (tries === TRIES || signal.aborted) throw error
      await pause(BETWEEN, signal)
    }
  }
}
