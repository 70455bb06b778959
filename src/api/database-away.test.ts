/** What clients of the API see of a PostgreSQL that is killed and starts again. */

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'

import { type AnApi, anApi } from '../../test/an-api.ts'
import { until } from '../../test/until.ts'
import { asUser } from '../installation/as-user.ts'
import { openPool } from '../installation/database.ts'
import { migrate } from '../installation/migrate.ts'
import {
  initialiseCluster,
  postgresAnswers,
  postgresCommand,
} from '../installation/postgres-cluster.ts'
import { POSTGRES_USER, userId } from '../installation/users.ts'
import { Problem } from '../model/problem.ts'
import { patientDatabase } from '../store/patient-database.ts'
import { inTransaction } from '../store/queryable.ts'

const directory = mkdtempSync(join(tmpdir(), 'mayfly-mortal-'))
const cluster = join(directory, 'data')
const pool = openPool({ host: directory, user: 'postgres', database: 'postgres' }, 4)
let server: ChildProcess
let api: AnApi

suite('PostgreSQL is away', () => {
  before(async () => {
    chownSync(directory, userId(POSTGRES_USER), 0)
    chmodSync(directory, 0o755)
    await initialiseCluster(cluster, '--auth=trust', '--no-sync')
    start()
    await until('PostgreSQL answers', () => postgresAnswers(directory))
    await migrate(pool)
    api = await anApi(patientDatabase(pool))
  })

  after(async () => {
    await pool.end()
    server.kill('SIGINT')
    await once(server, 'exit')
    rmSync(directory, { recursive: true })
  })

  test('requests wait for one that is starting again, and none is done twice', async () => {
    await killServer()
    const asked = Promise.all([
      api.call('GET /apps'),
      api.call('POST /apps', { name: 'one-app' }),
      api.call('GET /account'),
    ])
    start()
    assert.deepEqual(
      (await asked).map((it) => it.status),
      [200, 201, 200],
    )
    const { body } = await api.call('GET /apps')
    assert.deepEqual(
      (body as unknown as { name: string }[]).map((it) => it.name),
      ['one-app'],
    )
  })

  test('requests wait for one whose connections all broke', async () => {
    await Promise.all([1, 2, 3, 4].map(() => api.call('GET /apps')))
    await killServer()
    start()
    const { status } = await api.call('PATCH /apps/one-app', { maintenance: true })
    assert.equal(status, 200)
  })

  test('a transaction that has lost its connection is not begun again', async () => {
    let begun = 0
    const work = inTransaction(patientDatabase(pool), async (tx) => {
      begun += 1
      await tx.query(`update apps set maintenance = false`)
      await killServer()
      start()
      // By then the last process of the killed one has noticed, and ended.
      await until('PostgreSQL answers', () => postgresAnswers(directory))
      await tx.query(`update apps set stack = 'lost'`)
    })
    await assert.rejects(
      work,
      (error) => error instanceof Problem && error.id === 'service_unavailable',
    )
    assert.equal(begun, 1)
    assert.equal((await api.call('GET /apps/one-app')).body.maintenance, true)
  })

  test('one that stays away is told of in words', async () => {
    await killServer()
    try {
      // Its processes notice one by one that it is gone, and answer until then.
      await until('no connection is left', async () => {
        const asked = await Promise.allSettled(
          [1, 2, 3, 4].map(() => pool.query('select')),
        )
        return asked.every(({ status }) => status === 'rejected')
      })
      const impatient = await anApi(patientDatabase(pool, { patience: 0 })).catch(
        (error: unknown) => error,
      )
      assert.ok(impatient instanceof Problem)
      assert.equal(impatient.status, 503)
      assert.match(impatient.message, /^The database is not available at the moment/)
    } finally {
      start()
      await until('PostgreSQL answers', () => postgresAnswers(directory))
    }
  })
})

function start(): void {
  const command = postgresCommand(cluster, directory, ['fsync=off'])
  const [program = '', ...args] = asUser(POSTGRES_USER, POSTGRES_USER, command)
  server = spawn(program, args, { stdio: 'ignore', detached: true, cwd: '/' })
  // It refuses as long as processes of the killed one still end.
  server.once('exit', (status) => {
    if (status === 1) start()
  })
}

async function killServer(): Promise<void> {
  server.kill('SIGKILL')
  await once(server, 'exit')
}
