/**
 * What every long-running part begins with: its settings, its log, its database, and the
 * two signals it owes the supervisor: `ready` once it serves, an orderly end on SIGTERM.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'

import type { Pool } from 'pg'

import {
  type DataDirectory,
  dataDirectory,
  type Installation,
} from '../src/installation/data-directory.ts'
import {
  databaseConfig,
  openPool,
  preparing,
  withoutWaiting,
} from '../src/installation/database.ts'
import { roleOf } from '../src/installation/roles.ts'
import { jsonLog, type Log } from '../src/lib/log.ts'

export interface Part {
  readonly data: DataDirectory
  readonly installation: Installation
  readonly pool: Pool
  /** See `withoutWaiting`. */
  hastyPool(connections: number): Pool
  readonly log: Log
  /** Aborts when the part is asked to end. */
  readonly signal: AbortSignal
  /** Tells the supervisor that the part serves. */
  ready(): void
}

/** `connections`: how many to the database at most. */
export function startPart(name: string, connections: number): Part {
  const root = process.env['MAYFLY_DATA']
  if (!root) throw new Error('MAYFLY_DATA does not name the data directory')
  const url = process.env['DATABASE_URL']
  delete process.env['DATABASE_URL']
  // What the part starts is not the part.
  delete process.env['MAYFLY_PART']

  const data = dataDirectory(root)
  const database = preparing(databaseConfig(data, url, roleOf(name)))
  const log = jsonLog(name, (line) => process.stderr.write(line))
  // On a full disk a line is lost; the part is not.
  process.stderr.on('error', () => {})
  const ended = new AbortController()
  process.once('SIGTERM', () => ended.abort())
  process.on('uncaughtException', (error) => die('uncaught exception', error))
  process.on('unhandledRejection', (error) => die('unhandled rejection', error))

  function die(message: string, error: unknown): never {
    log.error(message, error)
    process.exit(1)
  }

  return {
    data,
    installation: JSON.parse(readFileSync(data.installation, 'utf8')) as Installation,
    pool: openPool(database, connections),
    hastyPool: (most) => openPool(withoutWaiting(database), most),
    log,
    signal: ended.signal,
    ready() {
      mkdirSync(data.run(name), { recursive: true })
      writeFileSync(data.readyFile(name), `${process.pid}\n`)
      log.info('ready')
    },
  }
}
