import type { Pool } from 'pg'

import { databaseConfig, openPool } from '../../src/installation/database.ts'
import { openInstallation } from '../../src/installation/open-installation.ts'
import { Refusal } from '../../src/installation/refusal.ts'
import { Problem } from '../../src/model/problem.ts'
import { dataNamed } from './arguments.ts'
import { databaseUrl } from './settings.ts'

/** For an operator's commands: a Problem becomes what the command says, and so does a database that is not there. */
export async function withDatabase<T>(
  path: string | undefined,
  work: (pool: Pool) => Promise<T>,
): Promise<T> {
  const data = dataNamed(path)
  openInstallation(data)
  const pool = openPool(databaseConfig(data, databaseUrl), 1)
  try {
    await pool.query('select').catch(() => {
      throw new Refusal('The database does not answer: ./mayfly up starts it.')
    })
    return await work(pool)
  } catch (error) {
    if (error instanceof Problem) throw new Refusal(error.message)
    throw error
  } finally {
    await pool.end()
  }
}
