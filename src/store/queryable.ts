import { pause } from '../lib/clock.ts'

/** A pool, a client, or a transaction: the functions of this folder don't care. */
export interface Queryable {
  query(text: string, values?: readonly unknown[]): Promise<{ rows: unknown[] }>
}

/** A pool, or what stands before one. */
export interface Database extends Queryable {
  connect(): Promise<Connection>
}

export interface Connection extends Queryable {
  /** With an error it is closed, not used again. */
  release(error?: Error | boolean): void
}

const DEADLOCK = '40P01'
const TRIES = 3
/** Milliseconds, more with each try. */
const MAKE_WAY = 50

/**
 * Runs `work` in one transaction: all of it happens, or nothing. Of two that wait for each
 * other PostgreSQL ends one, of which nothing then has happened: that one is run again, once the
 * other has had a moment to take what it waited for. (At once, it may be there first, and both wait again.)
 */
export async function inTransaction<T>(
  pool: Database,
  work: (tx: Queryable) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await transaction(pool, work)
    } catch (error) {
      if (!isDeadlock(error) || tries === TRIES) throw error
    }
    await pause(tries * MAKE_WAY)
  }
}

function isDeadlock(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === DEADLOCK
}

async function transaction<T>(
  pool: Database,
  work: (tx: Queryable) => Promise<T>,
): Promise<T> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    const result = await work(client)
    await client.query('commit')
    client.release()
    return result
  } catch (error) {
    await rollBack(client)
    throw error
  }
}

/** A connection on which even the rollback fails is not given back to the pool. */
async function rollBack(client: Connection): Promise<void> {
  try {
    await client.query('rollback')
    client.release()
  } catch (error) {
    client.release(error instanceof Error ? error : true)
  }
}
