/**
 * A pool for those who have somebody waiting: while PostgreSQL is away for a moment, as when
 * it was killed and starts again, they wait with it instead of failing.
 *
 * Nothing is done twice. A statement is repeated if it only reads; for a transaction a
 * connection is waited for, and once it has one, losing it is the transaction's failure. What
 * waits too long for another's lock is not tried again, and no fault of ours.
 */

import { DatabaseError } from 'pg'

import { pause, SECOND } from '../lib/clock.ts'
import { Problem } from '../model/problem.ts'
import type { Connection, Database } from './queryable.ts'

const PATIENCE = 10 * SECOND
const BETWEEN = 0.2 * SECOND

/** Throws the Problem `service_unavailable` where `patience`, in milliseconds, was not enough. */
export function patientDatabase(
  pool: Database,
  { patience = PATIENCE }: { readonly patience?: number } = {},
): Database {
  return {
    async query(text, values) {
      if (/^\s*select\b/i.test(text)) {
        return whileAway(() => pool.query(text, values), patience)
      }
      const connection = await connect()
      try {
        return await connection.query(text, values)
      } finally {
        // Whether it still serves, the next to take it finds out.
        connection.release()
      }
    },
    connect,
  }

  async function connect(): Promise<Connection> {
    const connection = await whileAway(() => connected(pool), patience)
    return {
      query: (text, values) => connection.query(text, values).catch(asProblem),
      release: (error) => connection.release(error),
    }
  }
}

/** The pool may give out a connection whose server has just died: so it is asked. */
async function connected(pool: Database): Promise<Connection> {
  const connection = await pool.connect()
  try {
    await connection.query('select')
    return connection
  } catch (error) {
    connection.release(true)
    throw error
  }
}

async function whileAway<T>(work: () => Promise<T>, patience: number): Promise<T> {
  const end = performance.now() + patience
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!isAway(error) || performance.now() >= end) return asProblem(error)
    }
    await pause(BETWEEN)
  }
}

function asProblem(error: unknown): never {
  if (!isAway(error) && !isBusy(error)) throw error
  const problem = new Problem(
    'service_unavailable',
    isBusy(error)
      ? 'The database is busy with what this request waits for. Try again in a few seconds.'
      : 'The database is not available at the moment. Try again in a few seconds.',
  )
  problem.cause = error
  throw problem
}

/** Lock_timeout and statement_timeout: nothing was done. */
const BUSY = new Set(['55P03', '57014'])

function isBusy(error: unknown): boolean {
  return error instanceof DatabaseError && BUSY.has(error.code ?? '')
}

/** Ended by an operator, by a crash, while starting; too many connections. */
const AWAY = new Set(['57P01', '57P02', '57P03', '53300'])

/** An error that is neither the server's answer nor our mistake is one of the way to it. */
function isAway(error: unknown): boolean {
  if (error instanceof TypeError) return false
  if (!(error instanceof DatabaseError)) return true
  return AWAY.has(error.code ?? '')
}
