/**
 * The private PostgreSQL: the system's binaries, a cluster in the data directory, reachable
 * by nothing but a unix socket, and through it by nobody but root and the parts.
 */

import {
  chmodSync,
  chownSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

import { Client } from 'pg'

import { SECOND } from '../lib/clock.ts'
import { runProgram } from '../lib/run-program.ts'
import { asUser } from './as-user.ts'
import type { DataDirectory } from './data-directory.ts'
import { Refusal } from './refusal.ts'
import { ENTRANCES, ensureRoles, OWNER, PART_ROLES, userMap } from './roles.ts'
import { groupId, POSTGRES_USER, userId } from './users.ts'

/**
 * Makes the cluster, once, and says who may enter, which another version may have said otherwise.
 * Half-made, it lies under another name and is made anew.
 */
export async function ensureCluster(data: DataDirectory): Promise<void> {
  if (!existsSync(data.postgres)) {
    const draft = `${data.postgres}.new`
    await initialiseCluster(draft)
    renameSync(draft, data.postgres)
  }
  await leaveConnectionsToCommand(data.postgres)
  placeInCluster(data, 'pg_hba.conf', ENTRANCES)
  placeInCluster(data, 'pg_ident.conf', userMap())
}

/** By a rename, from where only root may write: what the server has there is never written through. */
function placeInCluster(data: DataDirectory, name: string, text: string): void {
  const draft = join(data.root, `${name}.new`)
  writeFileSync(draft, text)
  chmodSync(draft, 0o644)
  renameSync(draft, join(data.postgres, name))
}

/** Makes a cluster in `directory`, which is emptied first; its superuser is `postgres`. */
export async function initialiseCluster(
  directory: string,
  ...more: string[]
): Promise<void> {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory)
  chownSync(directory, userId(POSTGRES_USER), groupId(POSTGRES_USER))
  chmodSync(directory, 0o700)
  const manner = [
    '--username=postgres',
    '--encoding=UTF8',
    '--locale=C.UTF-8',
    '--data-checksums',
  ]
  const initdb = [
    join(binariesOf(), 'initdb'),
    `--pgdata=${directory}`,
    ...manner,
    ...more,
  ]
  await asPostgres(...initdb)
  await leaveConnectionsToCommand(directory)
}

/**
 * initdb says how many connections there are, and so does the command: with both, the server calls
 * its configuration wrong whenever it reads it again. As its user: what is there may lead anywhere.
 */
async function leaveConnectionsToCommand(cluster: string): Promise<void> {
  const file = join(cluster, 'postgresql.conf')
  const line = '^[[:space:]]*max_connections\\b'
  if ((await asPostgres('sed', '-n', `/${line}/p`, file)) === '') return
  await asPostgres('sed', '-i', '--follow-symlinks', `s/${line}/#&/`, file)
  // A loss of power is to leave neither half of it nor nothing.
  await asPostgres('sync', file)
}

function asPostgres(...command: readonly string[]): Promise<string> {
  return runProgram(asUser(POSTGRES_USER, POSTGRES_USER, command))
}

/** By the PostgreSQL that the cluster is of. `settings`: more of them, each `name=value`. */
export function postgresCommand(
  directory: string,
  socketDirectory: string,
  settings: readonly string[] = [],
): string[] {
  const all = [
    'listen_addresses=',
    `unix_socket_directories=${socketDirectory}`,
    'max_connections=200',
    'logging_collector=off',
    ...settings,
  ]
  return [
    join(binariesOf(versionOf(directory)), 'postgres'),
    '-D',
    directory,
    ...all.flatMap((it) => ['-c', it]),
  ]
}

/** Whether the server in this socket directory answers. */
export async function postgresAnswers(socketDirectory: string): Promise<boolean> {
  try {
    await asAdmin(socketDirectory, (client) => client.query('select 1'))
    return true
  } catch {
    return false
  }
}

/** The database, and the roles that come to it. Idempotent. */
export async function ensureDatabase(data: DataDirectory): Promise<void> {
  await asAdmin(data.run('postgres'), async (client) => {
    // It may have been adopted, and know who might enter before.
    await client.query('select pg_reload_conf()')
    await ensureRoles(client)
    const databases = await client.query('select from pg_database where datname = $1', [
      OWNER,
    ])
    if (databases.rows.length === 0) {
      await client.query(`create database ${OWNER} owner ${OWNER}`)
    }
    const roles = PART_ROLES.map(({ role }) => role).join(', ')
    await client.query(`revoke all on database ${OWNER} from public`)
    await client.query(`grant connect on database ${OWNER} to ${roles}`)
  })
}

/** As the superuser, in the database `postgres`. */
export async function asAdmin(
  host: string,
  work: (client: Client) => Promise<unknown>,
): Promise<void> {
  const client = new Client({
    host,
    user: 'postgres',
    database: 'postgres',
    connectionTimeoutMillis: 5 * SECOND,
  })
  client.on('error', () => {})
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}

/** The major version that a cluster's files are of; undefined where there is none. */
export function versionOf(cluster: string): number | undefined {
  const file = join(cluster, 'PG_VERSION')
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined
}

/** Major versions on the machine, the newest first. */
export function presentPostgres(): number[] {
  return globSync('/usr/lib/postgresql/*/bin/postgres')
    .map((file) => Number(file.split('/')[4]))
    .toSorted((a, b) => b - a)
}

/** A Refusal where there is none. */
export function newestPostgres(): number {
  const [newest] = presentPostgres()
  if (newest === undefined)
    throw new Refusal('There is no PostgreSQL server: apt-get install postgresql.')
  return newest
}

/** Debian's directory of that PostgreSQL's programs; left out: of the newest's. */
export function binariesOf(version = newestPostgres()): string {
  return `/usr/lib/postgresql/${version}/bin`
}
