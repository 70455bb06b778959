/** A PostgreSQL for tests: on a unix socket, as fast as one may be whose data nobody needs. */

import { spawn } from 'node:child_process'
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { pause, SECOND } from '../lib/clock.ts'
import { asUser } from './as-user.ts'
import { endProcess, processOf } from './living-process.ts'
import {
  asAdmin,
  initialiseCluster,
  postgresAnswers,
  postgresCommand,
} from './postgres-cluster.ts'
import { ensureRoles } from './roles.ts'
import { POSTGRES_USER, userId } from './users.ts'

const DEADLINE = 30 * SECOND
const POLL = 50
const CARELESS = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']

/**
 * `work` is told the directory of its socket; everyone who gets there may be its superuser
 * `postgres`, or one of the parts.
 */
export async function withThrowAwayPostgres<T>(
  work: (socketDirectory: string) => Promise<T>,
): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'mayfly-postgres-'))
  chownSync(directory, userId(POSTGRES_USER), 0)
  chmodSync(directory, 0o700)
  const cluster = join(directory, 'data')
  try {
    await initialiseCluster(cluster, '--auth=trust', '--no-sync')
    return await whileRunning(cluster, directory, work)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

async function whileRunning<T>(
  cluster: string,
  sockets: string,
  work: (socketDirectory: string) => Promise<T>,
): Promise<T> {
  const command = asUser(
    POSTGRES_USER,
    POSTGRES_USER,
    postgresCommand(cluster, sockets, CARELESS),
  )
  const [program = '', ...args] = command
  const child = spawn(program, args, { stdio: 'ignore', detached: true, cwd: '/' })
  child.on('error', () => {})
  const server = processOf(child.pid ?? 0)
  try {
    for (let waited = 0; !(await postgresAnswers(sockets)); waited += POLL) {
      if (waited > DEADLINE) throw new Error('the PostgreSQL for tests does not answer')
      await pause(POLL)
    }
    await asAdmin(sockets, ensureRoles)
    return await work(sockets)
  } finally {
    if (server) await endProcess(server, { signal: 'SIGINT', patience: 10 * SECOND })
  }
}
