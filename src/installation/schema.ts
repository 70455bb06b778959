import { join } from 'node:path'

import { Pool, type PoolConfig } from 'pg'

import { runProgram } from '../lib/run-program.ts'
import { migrate } from './migrate.ts'
import { binariesOf } from './postgres-cluster.ts'

const NAME = 'mayfly_schema'

/** The schema that the migrations make, as pg_dump writes it, less what varies between its versions. */
export async function schemaOfMigrations(host: string): Promise<string> {
  const server = { host, user: 'postgres' }
  const admin = onePool({ ...server, database: 'postgres' })
  try {
    await admin.query(`create database ${NAME}`)
    const pool = onePool({ ...server, database: NAME })
    try {
      await migrate(pool)
    } finally {
      await pool.end()
    }
    const where = [`--host=${host}`, '--username=postgres', `--dbname=${NAME}`]
    const what = ['--schema-only', '--no-owner', '--no-privileges']
    return normalised(
      await runProgram([join(binariesOf(), 'pg_dump'), ...what, ...where]),
    )
  } finally {
    await admin.query(`drop database if exists ${NAME} with (force)`)
    await admin.end()
  }
}

/**
 * A pool's `end` resolves before its connection is gone; what the server then says to the
 * connection, that it is dropped, is meant for nobody.
 */
function onePool(settings: PoolConfig): Pool {
  const pool = new Pool({ ...settings, max: 1 })
  pool.on('error', () => {})
  return pool
}

/** Without comments, settings and psql's own commands; one empty line between statements. */
export function normalised(dump: string): string {
  const statements = dump
    .split('\n')
    .filter((line) => !/^(--|SET |SELECT pg_catalog\.set_config|\\)/.test(line))
    .join('\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim()
  return `-- The database as the migrations make it. Written by ./mayfly schema.\n\n${statements}\n`
}
