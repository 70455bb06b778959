/** An installation for the length of a benchmark, and what the figures ask of it. */

import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { Pool } from 'pg'

import { installationToBe, type TestInstallation } from '../test/an-installation.ts'
import { databaseConfig } from '../src/installation/database.ts'
import { until } from '../test/until.ts'

export interface Bench {
  readonly installation: TestInstallation
  /** The installation's own database, to see what no API tells. */
  readonly database: Pool
  /** A call of the Platform API; throws unless it succeeds. */
  api(method: string, path: string, body?: unknown): Promise<unknown>
  /** Deploys bench/tiny-app, or what that directory has, under this name, by git push. */
  deploy(app: string, from?: string): Promise<void>
  scale(app: string, type: string, quantity: number): Promise<void>
  /** Does `act`, and waits until every dyno of the type is another one, up and settled. */
  replaced(app: string, type: string, act: () => Promise<unknown>): Promise<void>
  /** Waits until so many dynos of a type are up, and for web routed, and no other is left. */
  settled(app: string, type: string, quantity: number): Promise<void>
}

/** So that a hundred find room on any machine. */
const SMALL = { 'Standard-1X': { memory: 64, hardMemory: 1024 } }

/** They use next to nothing of the disk and memory that they are promised. */
const BOLD = { memoryFactor: 100, diskFactor: 100 }

const tinyApp = join(import.meta.dirname, 'tiny-app')

export async function withBench(work: (bench: Bench) => Promise<void>): Promise<void> {
  const { installation, open, close } = installationToBe({ regions: ['us'] })
  await open()
  writeFileSync(installation.data.sizes, JSON.stringify({ sizes: SMALL }))
  writeFileSync(installation.data.managerSettings, JSON.stringify(BOLD))
  const database = new Pool(databaseConfig(installation.data, undefined))
  try {
    await work(benchOn(installation, database))
  } finally {
    await database.end()
    await close()
  }
}

function benchOn(installation: TestInstallation, database: Pool): Bench {
  const headers = {
    accept: 'application/vnd.heroku+json; version=3',
    'content-type': 'application/json',
    authorization: `Bearer ${installation.env['HEROKU_API_KEY']}`,
  }

  async function live(app: string, type: string): Promise<string[]> {
    const { rows } = await database.query<{ id: string }>(
      `select dynos.id from dynos join apps on apps.id = dynos.app
        where apps.name = $1 and dynos.type = $2 and dynos.state <> 'down'`,
      [app, type],
    )
    return rows.map((row) => row.id)
  }

  async function api(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${installation.apiUrl}${path}`, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    if (!response.ok)
      throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
    return response.json()
  }

  const bench: Bench = {
    installation,
    database,
    api,
    async deploy(app, from = tinyApp) {
      const directory = join(installation.home, app)
      cpSync(from, directory, { recursive: true })
      await api('POST', '/apps', { name: app })
      const remote = `https://localhost:${installation.apiPort}/${app}.git`
      for (const args of [
        ['init', '--quiet'],
        ['add', '--all'],
        ['commit', '--quiet', '--message', 'All of it'],
        ['push', remote, 'main'],
      ]) {
        const { status, stderr } = await installation.git(args, directory)
        if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`)
      }
    },
    async scale(app, type, quantity) {
      await api('PATCH', `/apps/${app}/formation/${type}`, { quantity })
    },
    async replaced(app, type, act) {
      const old = new Set(await live(app, type))
      await act()
      await until('every dyno is another', async () =>
        (await live(app, type)).every((id) => !old.has(id)),
      )
      await bench.settled(app, type, old.size)
    },
    async settled(app, type, quantity) {
      await until(
        `${quantity} ${type} dynos are up`,
        async () => {
          const { rows } = await database.query<{ up: number; all: number }>(
            `select count(*) filter (where dynos.state = 'up' and not leaving
                                     and (routed or dynos.type <> 'web'))::int as up,
                  count(*)::int as all
             from dynos join apps on apps.id = dynos.app
            where apps.name = $1 and dynos.type = $2 and dynos.state <> 'down'`,
            [app, type],
          )
          return rows[0]?.up === quantity && rows[0].all === quantity
        },
        120_000,
      )
    },
  }
  return bench
}
