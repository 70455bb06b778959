/**
 * A real database of its own for each test file, migrated and then dropped, in which the parts' roles
 * may do what grants.sql says. The server is the one that `./mayfly test` started; PGHOST and PGUSER
 * say where.
 */

import { randomBytes } from 'node:crypto'
import { after, before } from 'node:test'

import { Client, Pool, type PoolConfig } from 'pg'

import { applyGrants } from '../src/installation/grants.ts'
import { migrate } from '../src/installation/migrate.ts'

export function aDatabase(): Pool {
  const name = `test_${randomBytes(6).toString('hex')}`
  const pool = patient({ database: name })

  before(async () => {
    await asAdmin(`create database ${name}`)
    await migrate(pool)
    await applyGrants(pool)
  })

  after(async () => {
    await Promise.all([pool, ...(roles.get(pool)?.values() ?? [])].map((it) => it.end()))
    await asAdmin(`drop database ${name} with (force)`)
  })

  return pool
}

const roles = new WeakMap<Pool, Map<string, Pool>>()

/** The same database, for whom may do no more than `role`. Ends with `pool`, which `aDatabase` gave. */
export function asRole(pool: Pool, role: string): Pool {
  const known = roles.get(pool) ?? new Map<string, Pool>()
  roles.set(pool, known)
  const its = known.get(role) ?? patient({ ...pool.options, options: `-c role=${role}` })
  known.set(role, its)
  return its
}

/** A connection may hear of the database's end before its own. */
function patient(config: PoolConfig): Pool {
  const pool = new Pool(config)
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

async function asAdmin(statement: string): Promise<void> {
  const client = new Client({ database: 'postgres' })
  await client.connect()
  await client.query(statement)
  await client.end()
}
