/**
 * Brings a database to the schema of this version, forward only, a file a step. Safe to
 * run from several processes at once: one does the work, the others wait and find it done.
 */

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Pool, PoolClient } from 'pg'

const directory = join(import.meta.dirname, '../../migrations')
/** Any number, the same for every version of Mayfly. */
const LOCK = 0x6d6179

export class NewerSchema extends Error {
  override readonly name = 'NewerSchema'
}

export async function migrate(pool: Pool): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [LOCK])
    await client.query(
      `create table if not exists migrations (
         name text primary key, applied_at timestamptz not null default now())`,
    )
    await applyMissing(client)
  } finally {
    await client.query('select pg_advisory_unlock_all()').catch(() => {})
    client.release()
  }
}

async function applyMissing(client: PoolClient): Promise<void> {
  const ours = migrationNames()
  const { rows } = await client.query<{ name: string }>('select name from migrations')
  const applied = new Set(rows.map((row) => row.name))
  const unknown = [...applied].filter((name) => !ours.includes(name))
  if (unknown.length > 0) {
    throw new NewerSchema(
      `The database was made by a newer Mayfly: it has ${unknown.join(', ')}, which this version does not know.`,
    )
  }
  for (const name of ours.filter((it) => !applied.has(it))) {
    await client.query('begin')
    try {
      await client.query(readFileSync(join(directory, name), 'utf8'))
      await client.query('insert into migrations (name) values ($1)', [name])
      await client.query('commit')
    } catch (error) {
      await client.query('rollback')
      throw new Error(`migration ${name} failed`, { cause: error })
    }
  }
}

/** By which a version of the schema is known. */
export function newestMigration(): string {
  return migrationNames().at(-1) ?? ''
}

function migrationNames(): string[] {
  return globSync('*.sql', { cwd: directory }).toSorted()
}
