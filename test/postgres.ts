/**
 * A real database of its own for each test file, as the migrations make it, and then dropped, in which
 * the parts' roles may do what grants.sql says. The server is the one that `./mayfly test` started;
 * PGHOST and PGUSER say where.
 */

import { randomBytes } from 'node:crypto'
import { after, before } from 'node:test'

import { Client, Pool, type PoolConfig } from 'pg'

import { applyGrants } from '../src/installation/grants.ts'
import { migrate } from '../src/installation/migrate.ts'

/** Migrated once for all files: to copy it takes a quarter of the time. */
const TEMPLATE = 'test_template'
/** Any number; held while it is made. */
const TEMPLATE_LOCK = 0x746d70

/** A `before` that asks it stands in a suite: Node runs those at the top of a file side by side. */
export function aDatabase(): Pool {
  const name = `test_${randomBytes(6).toString('hex')}`
  const pool = patient({ database: name })

  before(async () => {
    await asAdmin(async (admin) => {
      await ensureTemplate(admin)
      await admin.query(`create database ${name} template ${TEMPLATE} strategy file_copy`)
    })
  })

  after(async () => {
    await Promise.all([pool, ...(roles.get(pool)?.values() ?? [])].map((it) => it.end()))
    await asAdmin((admin) => admin.query(`drop database ${name} with (force)`))
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

/** It has its name only once it is whole. */
async function ensureTemplate(admin: Client): Promise<void> {
  await admin.query('select pg_advisory_lock($1)', [TEMPLATE_LOCK])
  const { rowCount } = await admin.query('select from pg_database where datname = $1', [
    TEMPLATE,
  ])
  if (rowCount === 0) {
    const unfinished = `${TEMPLATE}_unfinished`
    await admin.query(`drop database if exists ${unfinished} with (force)`)
    await admin.query(`create database ${unfinished}`)
    const pool = patient({ database: unfinished })
    try {
      await migrate(pool)
      await applyGrants(pool)
    } finally {
      await pool.end()
    }
    await admin.query(`alter database ${unfinished} rename to ${TEMPLATE}`)
  }
  await admin.query('select pg_advisory_unlock($1)', [TEMPLATE_LOCK])
}

async function asAdmin(work: (admin: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ database: 'postgres' })
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}
