import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aDatabase } from '../../test/postgres.ts'
import { dataDirectory } from './data-directory.ts'
import { databaseConfig, openPool, withoutHaste } from './database.ts'

const database = aDatabase()
const config = databaseConfig(dataDirectory('/nowhere'), undefined)

/** What the server was told, in milliseconds; 0: as long as it takes. */
async function longestStatement(its: typeof config): Promise<number> {
  const { host, user, database: name } = database.options
  const pool = openPool({ ...its, host, user, database: name }, 1)
  try {
    const { rows } = await pool.query<{ setting: string }>(
      `select setting from pg_settings where name = 'statement_timeout'`,
    )
    return Number(rows[0]?.setting)
  } finally {
    await pool.end()
  }
}

test('the server ends a statement before its client gives up on it', async () => {
  const longest = await longestStatement(config)
  assert.ok(longest > 0 && longest < (config.query_timeout ?? 0), `${longest} ms`)
})

test('who waits for a lock outwaits a holder that stands still', () => {
  const { lock_timeout = 0, idle_in_transaction_session_timeout: idle = 0 } = config
  assert.ok(lock_timeout > idle && lock_timeout < Number(config.statement_timeout))
})

test('a migration takes as long as it takes', async () => {
  const unhurried = withoutHaste(config)
  assert.equal(await longestStatement(unhurried), 0)
  assert.equal(unhurried.query_timeout, 0)
})
