import type { Pool } from 'pg'

import { databaseConfig, openPool } from '../../src/installation/database.ts'
import { mustBeItsDatabase } from '../../src/installation/its-database.ts'
import { openInstallation } from '../../src/installation/open-installation.ts'
import { Refusal } from '../../src/installation/refusal.ts'
import { Problem } from '../../src/model/problem.ts'
import { dataNamed } from './arguments.ts'
import { databaseMustBeIts, databaseUrl } from './settings.ts'

/**
 * For an operator's commands: a Problem becomes what the command says, and so does a database that
 * is not the installation's, or does not answer.
 */
export async function withDatabase<T>(
  path: string | undefined,
  work: (pool: Pool) => Promise<T>,
): Promise<T> {
  const data = dataNamed(path)
  const installation = openInstallation(data)
  databaseMustBeIts(installation)
  const pool = openPool(databaseConfig(data, databaseUrl), 1)
  try {
    await pool.query('select').catch((error: NodeJS.ErrnoException) => {
      throw new Refusal(noAnswer(error))
    })
    await mustBeItsDatabase(pool, data, installation)
    return await work(pool)
  } catch (error) {
    if (error instanceof Problem) throw new Refusal(error.message)
    throw error
  } finally {
    await pool.end()
  }
}

/** Where an address has several, what each of them said is in codes alone. */
function noAnswer({ code, message }: NodeJS.ErrnoException): string {
  const why = message || code
  if (databaseUrl !== undefined) {
    return `The database that DATABASE_URL names does not answer: ${why}.`
  }
  const isDown = code === 'ENOENT' || code === 'ECONNREFUSED'
  return `The database does not answer: ${isDown ? './mayfly up starts it' : why}.`
}
