/** A release on trial, looked after: taken back when its first web dynos fail, and the old ones serve on. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aManagedApp, ask } from '../../test/a-managed-app.ts'
import type { AnApp } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { destroyApp } from '../actions/destroy-app.ts'
import { liveDynos } from '../store/dynos.ts'
import { inTransaction } from '../store/queryable.ts'

const pool = aDatabase()

interface ReleaseRow {
  readonly version: number
  readonly status: string
  readonly failure: string | null
  readonly automatic: boolean
}

async function releasesOf(it: AnApp): Promise<ReleaseRow[]> {
  const { rows } = await pool.query<ReleaseRow>(
    `select version, status, failure, automatic from releases where app = $1 order by version`,
    [it.app.id],
  )
  return rows
}

async function apiLines({ app }: AnApp): Promise<string[]> {
  const { rows } = await pool.query<{ message: string }>(
    `select message from log_lines where app = $1 and source = 'app' order by id`,
    [app.id],
  )
  return rows.map((row) => row.message)
}

test('a release whose first web dynos fail twice is taken back while the old ones serve', async () => {
  let broken = false
  const { it, settle } = await aManagedApp(pool, {
    boot: () => (broken ? { exits: 1 } : 'listens'),
  })
  await it.deploy({ web: 'node index.js' }, { MODE: 'good' })
  await ask(pool, it, 'quantity = 5')
  const before = await settle()
  broken = true
  await it.deploy({ web: 'node broken.js' }, { MODE: 'bad' })
  // Its successor would fail as well: the app is as it is.
  const dynos = await settle()
  const serving = dynos.filter((dyno) => dyno.state === 'up' && dyno.routed)
  assert.deepEqual(
    serving.map((dyno) => dyno.id),
    before.map((dyno) => dyno.id),
  )
  const failure = 'web.1 exited with status 1 before it was ready, 2 times in a row'
  assert.deepEqual((await releasesOf(it)).slice(-3), [
    { version: 3, status: 'succeeded', failure: null, automatic: false },
    { version: 4, status: 'failed', failure, automatic: false },
    { version: 5, status: 'succeeded', failure: null, automatic: true },
  ])
  assert.deepEqual((await apiLines(it)).slice(-3), [
    `Release v4 failed: ${failure}. Rolling back to v3.`,
    'Automatic rollback from v4 to v3 by Mayfly',
    'Release v5 created by Mayfly',
  ])
})

test('the release that was gone back to runs as it did before', async () => {
  const { it, settle, runtime } = await aManagedApp(pool, {
    boot: ({ environment }) => (environment['MODE'] === 'bad' ? { exits: 1 } : 'listens'),
  })
  await it.deploy({ web: 'node index.js' }, { MODE: 'good' })
  await settle()
  await it.deploy({ web: 'node broken.js' }, { MODE: 'bad' })
  const [dyno, ...others] = await settle()
  assert.deepEqual([dyno?.state, dyno?.crashes, others], ['up', 0, []])
  assert.ok(dyno)
  assert.equal(runtime.spec(dyno.id)?.command, 'node index.js')
  assert.equal(runtime.spec(dyno.id)?.environment['MODE'], 'good')
})

test('an app that is destroyed as its release fails for the last time goes with all its dynos', async () => {
  let broken = false
  const { it, settle, lookOnce } = await aManagedApp(pool, {
    boot: () => (broken ? { exits: 1 } : 'listens'),
  })
  await it.deploy({ web: 'node index.js' })
  await settle()
  broken = true
  await it.deploy({ web: 'node broken.js' })
  const formation = await it.formation('web')
  await until('it has failed twice', async () => {
    await lookOnce()
    const dynos = await liveDynos(pool, formation)
    return dynos.some(({ state, crashes }) => state === 'crashed' && crashes === 2)
  })
  await inTransaction(pool, (tx) => destroyApp(tx, it.app, it.account))
  assert.deepEqual(await settle(), [])
})

test('a first release that fails is not taken back', async () => {
  const { it, settle } = await aManagedApp(pool, { boot: () => ({ exits: 1 }) })
  await it.deploy()
  await settle()
  assert.equal((await releasesOf(it)).at(-1)?.status, 'succeeded')
})
