/**
 * A real database of its own for each test file, migrated and then dropped. The server is
 * the one that `./mayfly test` started; PGHOST and PGUSER say where.
 */

import { randomBytes } from 'node:crypto'
import { after, before } from 'node:test'

import { Client, Pool } from 'pg'

import { migrate } from '../src/installation/migrate.ts'

export function aDatabase(): Pool {
  const name = `test_${randomBytes(6).toString('hex')}`
  const pool = new Pool({ database: name })
  // A connection may hear of the database's end before its own.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))

  before(async () => {
    await asAdmin(`create database ${name}`)
    await migrate(pool)
  })

  after(async () => {
    await pool.end()
    await asAdmin(`drop database ${name} with (force)`)
  })

  return pool
}

async function asAdmin(statement: string): Promise<void> {
  const client = new Client({ database: 'postgres' })
  await client.connect()
  await client.query(statement)
  await client.end()
}
