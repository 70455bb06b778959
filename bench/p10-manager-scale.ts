/**
 * P10: a manager on the memory runtime with 100,000 dynos in 10,000 apps, on a PostgreSQL of
 * its own: from nothing, at rest, and a release of an app of 1,000. MAYFLY_P10_APPS makes it
 * smaller.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { Client, type Pool } from 'pg'

import { MINUTE, pause, SECOND } from '../src/lib/clock.ts'
import { openPool } from '../src/installation/database.ts'
import { migrate } from '../src/installation/migrate.ts'
import { withThrowAwayPostgres } from '../src/installation/throw-away-postgres.ts'
import type { Account } from '../src/model/app.ts'
import { wakeFormations } from '../src/store/app-formations.ts'
import type { Figure } from './figure.ts'
import { makeApps, makeRegion, releaseAgain } from './p10-apps.ts'
import { mostMemory, processorTime, processorTimeOfAll } from './processor-time.ts'

const APPS = Number(process.env['MAYFLY_P10_APPS'] ?? 10_000)
const DYNOS = 10
const LARGE = 1000
const REST = MINUTE
const DATABASE = 'bench'
const MEBIBYTE = 2 ** 20

interface Processes {
  readonly manager: number
  readonly postgres: number
}

/** Processor time in seconds. */
interface Sample {
  readonly at: number
  readonly up: number
  readonly manager: number
  readonly postgres: number
}

export async function p10ManagerScale(): Promise<Figure[]> {
  return withThrowAwayPostgres(async (host) => {
    await makeDatabase(host)
    const pool = openPool({ host, user: 'postgres', database: DATABASE }, 4)
    await migrate(pool)
    const account = await makeRegion(pool)
    await makeApps(pool, account, { apps: APPS, dynos: DYNOS })
    await pool.query('vacuum analyze')
    const manager = spawn(
      process.execPath,
      [join(import.meta.dirname, 'p10-manager.ts'), host, DATABASE],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    )
    const of = { manager: manager.pid ?? 0, postgres: await serverOf(pool) }
    try {
      return [
        ...(await converge(pool, of)),
        await rest(pool, of),
        await release(pool, account),
        memory(of),
      ]
    } finally {
      await endOf(manager)
      await pool.end()
    }
  })
}

async function converge(pool: Pool, of: Processes): Promise<Figure[]> {
  const samples = [await sample(pool, of)]
  while ((samples.at(-1)?.up ?? 0) < APPS * DYNOS) {
    await pause(SECOND / 4)
    samples.push(await sample(pool, of))
  }
  const [first, last] = [samples[0], samples.at(-1)]
  if (!first || !last) throw new Error('nothing was measured')
  const rate = last.up / ((last.at - first.at) / SECOND)
  const early = costPerDyno(samples, 0.1, 0.3)
  const late = costPerDyno(samples, 0.8, 1)
  const whole = costPerDyno(samples, 0, 1)
  return [
    {
      id: 'P10',
      what: `${last.up} dynos in ${APPS} apps from nothing`,
      measured: `${rate.toFixed(0)} dynos/s (${whole.manager.toFixed(2)} + ${whole.postgres.toFixed(2)} ms of a core each)`,
      bar: '≥ 2,000 dynos/s',
      met: rate >= 2000,
    },
    {
      id: 'P10',
      what: 'cost of the last fifth of them, beside that of an early one',
      measured: `${(sum(late) / sum(early)).toFixed(2)} ×`,
      bar: '≤ 1.3 × (flat)',
      met: sum(late) / sum(early) <= 1.3,
    },
  ]
}

async function rest(pool: Pool, of: Processes): Promise<Figure> {
  // What the convergence still has in flight is no rest.
  await pause(REST / 6)
  const before = await sample(pool, of)
  await pause(REST)
  const after = await sample(pool, of)
  const seconds = (after.at - before.at) / SECOND
  const manager = (after.manager - before.manager) / seconds
  const postgres = (after.postgres - before.postgres) / seconds
  return {
    id: 'P10',
    what: 'at rest',
    measured: `${percent(manager)} of a core, PostgreSQL ${percent(postgres)}`,
    bar: '≤ 25 %',
    met: manager + postgres <= 0.25,
  }
}

async function release(pool: Pool, account: Account): Promise<Figure> {
  const [app] = await makeApps(pool, account, { apps: 1, dynos: LARGE })
  if (!app) throw new Error('there is no app')
  await wakeFormations(pool, { id: app, region: 'us' })
  await settled(pool, app)
  const start = performance.now()
  await releaseAgain(pool, app, account)
  await settled(pool, app)
  const took = (performance.now() - start) / SECOND
  return {
    id: 'P10',
    what: `a release of an app of ${LARGE} dynos`,
    measured: `${took.toFixed(1)} s`,
    bar: '≤ 5 s',
    met: took <= 5,
  }
}

function memory(of: Processes): Figure {
  const bytes = mostMemory(of.manager)
  return {
    id: 'P10',
    what: 'memory of the manager, at most, its runtime included',
    measured: `${(bytes / MEBIBYTE).toFixed(0)} MiB`,
    bar: '≤ 1 GiB',
    met: bytes <= 1024 * MEBIBYTE,
  }
}

/** All of the app's dynos run its current release. */
async function settled(pool: Pool, app: string): Promise<void> {
  for (;;) {
    const { rows } = await pool.query<{ done: boolean }>(
      `select count(*) filter (where state = 'up' and release = current_release) = $2
          and count(*) = $2 as done
         from dynos join apps on apps.id = dynos.app
        where apps.id = $1 and state <> 'down'`,
      [app, LARGE],
    )
    if (rows[0]?.done) return
    await pause(20)
  }
}

async function sample(pool: Pool, { manager, postgres }: Processes): Promise<Sample> {
  const { rows } = await pool.query<{ up: number }>(
    `select count(*)::int as up from dynos where state = 'up'`,
  )
  return {
    at: performance.now(),
    up: rows[0]?.up ?? 0,
    manager: processorTime(manager),
    postgres: processorTimeOfAll(postgres),
  }
}

/** In milliseconds of a core, of those dynos that came up from one share of all to another. */
function costPerDyno(
  samples: readonly Sample[],
  from: number,
  to: number,
): { readonly manager: number; readonly postgres: number } {
  const reached = (share: number) =>
    samples.find(({ up }) => up >= share * APPS * DYNOS) ?? samples.at(-1)
  const [begin, end] = [reached(from), reached(to)]
  if (!begin || !end) throw new Error('nothing was measured')
  const per = (what: 'manager' | 'postgres') =>
    (SECOND * (end[what] - begin[what])) / (end.up - begin.up)
  return { manager: per('manager'), postgres: per('postgres') }
}

function sum({ manager, postgres }: { manager: number; postgres: number }): number {
  return manager + postgres
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}

async function makeDatabase(host: string): Promise<void> {
  const admin = new Client({ host, user: 'postgres', database: 'postgres' })
  await admin.connect()
  await admin.query(`create database ${DATABASE}`)
  await admin.end()
}

/** The server's first process, of which each connection's is a child. */
async function serverOf(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ pid: number }>('select pg_backend_pid() as pid')
  const status = readFileSync(`/proc/${rows[0]?.pid}/status`, 'utf8')
  return Number(/^PPid:\s+(\d+)/m.exec(status)?.[1])
}

function endOf(manager: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (manager.exitCode !== null) return resolve()
    manager.once('exit', () => resolve())
    manager.kill('SIGTERM')
  })
}
