import { Pool, type PoolConfig } from 'pg'

import { SECOND } from '../lib/clock.ts'
import type { DataDirectory } from './data-directory.ts'
import { PreparingClient } from './preparing-client.ts'
import { OWNER } from './roles.ts'

/**
 * The user's own PostgreSQL where `url` names one, as whom it says; else the private cluster's
 * socket, as `role`.
 */
export function databaseConfig(
  data: DataDirectory,
  url: string | undefined,
  role: string = OWNER,
): PoolConfig {
  const limits = {
    connectionTimeoutMillis: 10 * SECOND,
    query_timeout: 30 * SECOND,
    // The server gives up before us, or what nobody waits for any more would go on holding its locks.
    statement_timeout: 28 * SECOND,
    // Who stands still inside a transaction, as a process that was stopped, gives its rows back
    // before those give up that wait for them.
    idle_in_transaction_session_timeout: 15 * SECOND,
    lock_timeout: 20 * SECOND,
  }
  if (url) return { ...limits, connectionString: url }
  return { ...limits, host: data.run('postgres'), user: role, database: OWNER }
}

/** For migrations: a new index takes as long as its table is large. */
export function withoutHaste(config: PoolConfig): PoolConfig {
  return { ...config, query_timeout: 0, statement_timeout: 0 }
}

/**
 * With statements that are planned once. Not where `DATABASE_URL` is used: it may name a
 * proxy that gives each transaction another connection, and what was prepared on one is not
 * known to the next.
 */
export function preparing(config: PoolConfig): PoolConfig {
  if (config.connectionString) return config
  return { ...config, Client: PreparingClient, options: WHATEVER_THE_VALUES }
}

/** Else values are planned for one by one where that is thought to run a little faster. */
const WHATEVER_THE_VALUES = '-c plan_cache_mode=force_generic_plan'

/**
 * For the to-do list's own statements: they need not wait for the disk. A power cut may take
 * back that a subject was claimed or put down, and then it is looked at once more.
 */
export function withoutWaiting(config: PoolConfig): PoolConfig {
  return { ...config, options: `${config.options ?? ''} -c synchronous_commit=off` }
}

export function openPool(config: PoolConfig, most: number): Pool {
  const pool = new Pool({ ...config, max: most })
  // An idle connection that breaks is replaced; whoever uses one gets the error itself.
  pool.on('error', () => {})
  // Also between two statements of a transaction, where the pool does not listen.
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}
