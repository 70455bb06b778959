/**
 * Brings the private cluster to the newest PostgreSQL of the machine. Its files are of one major version, which a new
 * release of Debian replaces: the programs of before stay until `apt-get autoremove`, and by then this must have happened.
 *
 * At every moment one of two directories is the whole database: the cluster as it was, until the upgraded one is complete.
 */

import { chmodSync, chownSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import { runProgram } from '../lib/run-program.ts'
import { asUser } from './as-user.ts'
import type { DataDirectory } from './data-directory.ts'
import {
  binariesOf,
  initialiseCluster,
  newestPostgres,
  postgresAnswers,
  presentPostgres,
  versionOf,
} from './postgres-cluster.ts'
import { Refusal } from './refusal.ts'
import { groupId, POSTGRES_USER, userId } from './users.ts'

/**
 * Does nothing where the cluster is of the newest, or runs. The one of before stays beside it, as `postgres.15`. Where
 * PostgreSQL refuses, it is said why and the cluster stays what it was, to be run by its own version. A Refusal where the
 * machine has not that. Idempotent, and goes on where it was killed.
 */
export async function upgradeCluster(
  data: DataDirectory,
  say: (sentence: string) => void,
): Promise<void> {
  const { postgres: cluster } = data
  putInPlace(cluster)
  const version = versionOf(cluster)
  if (version === undefined) return
  const newest = newestPostgres()
  if (!presentPostgres().includes(version)) {
    throw new Refusal(
      `The database in ${cluster} is of PostgreSQL ${version}, which is not on this machine any more: install it again, ` +
        `as from the release of Debian before. An \`up\` that finds both brings the database to the newest.`,
    )
  }
  if (version === newest || (await postgresAnswers(data.run('postgres')))) return

  say(`bringing the database from PostgreSQL ${version} to ${newest}`)
  const draft = `${cluster}.new`
  try {
    await upgraded({ cluster, version }, { cluster: draft, version: newest })
  } catch (error) {
    say(
      `the database goes on as PostgreSQL ${version}, for it could not be brought to ${newest}; the next \`up\` tries again. ` +
        `PostgreSQL's own logs of it are in ${workOf(cluster)}. ${error instanceof Error ? error.message : String(error)}`,
    )
    return
  }
  renameSync(draft, completeOf(cluster))
  putInPlace(cluster)
  say(`the database of before is in ${cluster}.${version}: remove it when all is well`)
}

interface Versioned {
  readonly cluster: string
  readonly version: number
}

/** Sockets lie here, and what PostgreSQL says of the upgrade. */
const workOf = (cluster: string) => `${cluster}.upgrade`

/**
 * Makes `to` anew, copies what is in `from` into it, and counts its rows for the planner. Where that fails, neither runs,
 * and of `to` there are the logs alone, in `workOf`: it may hold all the room that the disk had.
 */
async function upgraded(from: Versioned, to: Versioned): Promise<void> {
  const work = workOf(from.cluster)
  rmSync(work, { recursive: true, force: true })
  mkdirSync(work)
  chownSync(work, userId(POSTGRES_USER), groupId(POSTGRES_USER))
  chmodSync(work, 0o700)
  const run = ({ version }: Versioned, program: string, ...args: string[]) =>
    runProgram(
      asUser(POSTGRES_USER, POSTGRES_USER, [
        'env',
        `--chdir=${work}`,
        join(binariesOf(version), program),
        ...args,
      ]),
    )
  const serverOf = (it: Versioned) => ['-D', it.cluster, '--wait', '--silent']
  const stop = (it: Versioned) =>
    run(it, 'pg_ctl', 'stop', ...serverOf(it), '--mode=fast')
  const whileRunning = async (it: Versioned, act: () => Promise<unknown>) => {
    const options = `-c listen_addresses= -c unix_socket_directories='${work}'`
    const log = join(work, 'log')
    const how = [`--log=${log}`, `--options=${options}`]
    await run(it, 'pg_ctl', 'start', ...serverOf(it), ...how)
    try {
      await act()
    } finally {
      await stop(it)
    }
  }

  try {
    await initialiseCluster(to.cluster)
    // An upgrade that was killed may have left it running; mostly there is nothing to stop.
    await stop(from).catch(() => {})
    // One that was not ended in order, as by a loss of power, is not taken.
    await whileRunning(from, async () => {})
    const directories = [
      `--old-bindir=${binariesOf(from.version)}`,
      `--new-bindir=${binariesOf(to.version)}`,
      `--old-datadir=${from.cluster}`,
      `--new-datadir=${to.cluster}`,
      `--socketdir=${work}`,
    ]
    await run(to, 'pg_upgrade', '--username=postgres', ...directories)
    await whileRunning(to, () =>
      run(
        to,
        'vacuumdb',
        `--host=${work}`,
        '--username=postgres',
        '--all',
        '--analyze-only',
      ),
    )
  } catch (error) {
    await Promise.allSettled([stop(from), stop(to)])
    const logs = join(to.cluster, 'pg_upgrade_output.d')
    if (existsSync(logs)) renameSync(logs, join(work, 'pg_upgrade_output.d'))
    rmSync(to.cluster, { recursive: true, force: true })
    throw error
  }
  rmSync(work, { recursive: true })
}

const completeOf = (cluster: string) => `${cluster}.upgraded`

/** The complete one takes the place of the one of before, or goes on to. */
function putInPlace(cluster: string): void {
  const complete = completeOf(cluster)
  if (!existsSync(complete)) return
  const before = versionOf(cluster)
  if (before !== undefined) {
    rmSync(`${cluster}.${before}`, { recursive: true, force: true })
    renameSync(cluster, `${cluster}.${before}`)
  }
  renameSync(complete, cluster)
}
