import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApp, secrets } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import type { App } from '../model/app.ts'
import { Problem } from '../model/problem.ts'
import { dynosOf } from '../store/app-dynos.ts'
import { formationsOf } from '../store/app-formations.ts'
import { findApp } from '../store/apps.ts'
import { inTransaction } from '../store/queryable.ts'
import { currentConfigVars, releasesOf } from '../store/releases.ts'
import { createApp } from './create-app.ts'
import { destroyApp } from './destroy-app.ts'
import { restartDynos } from './restart-dynos.ts'
import { rollback } from './rollback.ts'
import { scaleFormations } from './scale-formations.ts'
import { setConfigVars } from './set-config-vars.ts'
import { updateApp } from './update-app.ts'

const pool = aDatabase()
const by = 'by user dev@example.com'

test('an app begins with two releases, and its log says so', async () => {
  const { app } = await anApp(pool)
  const releases = await releasesOf(pool, app.id)
  assert.deepEqual(
    releases.map((it) => [it.version, it.description]),
    [
      [1, 'Initial release'],
      [2, 'Enable Logplex'],
    ],
  )
  assert.deepEqual(await told(app), [
    `Initial release ${by}`,
    `Release v1 created ${by}`,
    `Enable Logplex ${by}`,
    `Release v2 created ${by}`,
  ])
})

test('a deploy gives a new web one dyno, others none; what is kept keeps its scale', async () => {
  const made = await anApp(pool)
  const { app, account } = made
  await made.deploy({ web: 'a', worker: 'b' })
  assert.ok(
    (await told(app)).includes(`Scaled to web@1:Standard-1X worker@0:Standard-1X ${by}`),
  )
  await inTransaction(pool, (tx) =>
    scaleFormations(tx, {
      app,
      wishes: [{ type: 'web', quantity: '+2' }],
      scaler: account,
    }),
  )
  await made.deploy({ web: 'c', clock: 'd' })
  const now = await formationsOf(pool, app.id)
  assert.deepEqual(
    now.map((it) => [it.type, it.quantity, it.command]),
    [
      ['clock', 0, 'd'],
      ['web', 3, 'c'],
    ],
  )
})

test('config vars change in one release; what changes nothing makes none', async () => {
  const made = await anApp(pool)
  const { app, account } = made
  await made.deploy({ web: 'a' })
  const set = (changes: Record<string, string | null>) =>
    inTransaction(pool, (tx) =>
      setConfigVars(tx, { app: app.id, account, changes }, secrets),
    )
  assert.deepEqual(await set({ A: '1', B: '2' }), { A: '1', B: '2' })
  assert.deepEqual(await set({ A: '1', C: null }), { A: '1', B: '2' })
  assert.deepEqual(await set({ A: null }), { B: '2' })
  const releases = await releasesOf(pool, app.id)
  assert.deepEqual(
    releases.slice(3).map((it) => it.description),
    ['Set A, B config vars', 'Remove A config vars'],
  )
  assert.ok(releases.slice(2).every((it) => it.slug !== null))

  for (const changes of [{ '1A': 'x' }, { __A: 'x' }, { A: 'x'.repeat(65_536) }]) {
    await assert.rejects(set(changes), problem('invalid_params'))
  }
})

test('config vars rest sealed', async () => {
  const { app, account } = await anApp(pool)
  const wish = { app: app.id, account, changes: { SECRET: 'hunter2' } }
  await inTransaction(pool, (tx) => setConfigVars(tx, wish, secrets))
  const { rows } = await pool.query<{ config_vars: Buffer }>(
    'select config_vars from releases where app = $1',
    [app.id],
  )
  assert.ok(rows.every((row) => !row.config_vars.includes('hunter2')))
})

test('two changes at once are two releases, and neither is lost', async () => {
  const { app, account } = await anApp(pool)
  const set = (key: string) =>
    inTransaction(pool, (tx) =>
      setConfigVars(tx, { app: app.id, account, changes: { [key]: 'x' } }, secrets),
    )
  await Promise.all(['A', 'B', 'C', 'D'].map(set))
  const vars = await currentConfigVars(pool, app.id, secrets)
  assert.deepEqual(Object.keys(vars).toSorted(), ['A', 'B', 'C', 'D'])
  assert.equal((await releasesOf(pool, app.id)).length, 6)
})

test('a rollback brings code and config vars back, in a new release', async () => {
  const made = await anApp(pool)
  const { app, account } = made
  await made.deploy({ web: 'old' }, { A: 'old' })
  await made.deploy({ web: 'new' }, { A: 'new' })
  const back = (release: string) =>
    inTransaction(pool, (tx) => rollback(tx, { app: app.id, account, release }, secrets))
  const release = await back('v3')
  assert.equal(release.description, 'Rollback to v3')
  assert.equal(release.version, 5)
  assert.deepEqual(await currentConfigVars(pool, app.id, secrets), { A: 'old' })
  assert.equal((await formationsOf(pool, app.id))[0]?.command, 'old')
  await assert.rejects(back('v1'), problem('invalid_params'))
  await assert.rejects(back('v99'), problem('not_found'))
})

test('scaling is all or nothing', async () => {
  const made = await anApp(pool)
  const { app, account } = made
  await made.deploy({ web: 'a', worker: 'b' })
  const scale = (...wishes: Parameters<typeof scaleFormations>[1]['wishes']) =>
    inTransaction(pool, (tx) => scaleFormations(tx, { app, wishes, scaler: account }))
  const [worker] = await scale({ type: 'worker', quantity: '2', size: 'standard-2x' })
  assert.deepEqual([worker?.quantity, worker?.size], [2, 'Standard-2X'])
  for (const [wish, id] of [
    [{ type: 'clock', quantity: 1 }, 'not_found'],
    [{ type: 'web', quantity: '-2' }, 'invalid_params'],
    [{ type: 'web', quantity: 'many' }, 'invalid_params'],
    [{ type: 'web', quantity: 101 }, 'cannot_update_above_limit'],
    [{ type: 'web', size: 'huge' }, 'invalid_params'],
  ] as const) {
    await assert.rejects(scale({ type: 'worker', quantity: 0 }, wish), problem(id))
  }
  const now = await formationsOf(pool, app.id)
  assert.deepEqual(
    now.map((it) => it.quantity),
    [1, 2],
  )
})

test('a restart of a dyno that is not there is a problem; of none at all, it is not', async () => {
  const made = await anApp(pool)
  const { app } = made
  await made.deploy({ web: 'a' })
  assert.deepEqual(await dynosOf(pool, app.id), [])
  const restart = (which: Parameters<typeof restartDynos>[2]) =>
    inTransaction(pool, (tx) => restartDynos(tx, app, which, made.account))
  await restart({ all: true })
  await restart({ type: 'web' })
  await assert.rejects(restart({ type: 'clock' }), problem('not_found'))
  await assert.rejects(restart({ dyno: 'web.1' }), problem('not_found'))
})

test('a name is taken until its app is destroyed', async () => {
  const { app, account } = await anApp(pool)
  const other = await anApp(pool)
  const wish = { account, name: app.name, region: 'us', stack: 'debian-12' }
  const create = () => inTransaction(pool, (tx) => createApp(tx, wish, secrets))
  const rename = () =>
    inTransaction(pool, (tx) => updateApp(tx, other.app.id, { name: app.name }, account))
  await assert.rejects(create(), problem('invalid_params'))
  await assert.rejects(rename(), problem('invalid_params'))

  await inTransaction(pool, (tx) => destroyApp(tx, app, account))
  assert.equal(await findApp(pool, app.name), undefined)
  await create()
  assert.notEqual((await findApp(pool, app.name))?.id, app.id)
})

async function told(app: App): Promise<string[]> {
  const { rows } = await pool.query<{ message: string }>(
    `select message from log_lines where app = $1 and source = 'app' and ps = 'api' order by id`,
    [app.id],
  )
  return rows.map((row) => row.message)
}

function problem(id: Problem['id']) {
  return (error: unknown) => error instanceof Problem && error.id === id
}
