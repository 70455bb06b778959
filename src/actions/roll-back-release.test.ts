import assert from 'node:assert/strict'
import { test } from 'node:test'

import { type AnApp, anApp, secrets } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { systemClock } from '../lib/clock.ts'
import { describeScale } from '../model/app-formation.ts'
import { HEROKU_LIMITS } from '../model/limits.ts'
import { formationsOf } from '../store/app-formations.ts'
import { inTransaction } from '../store/queryable.ts'
import { releasesOf } from '../store/releases.ts'
import { recordReady } from '../store/trials.ts'
import { destroyApp } from './destroy-app.ts'
import { rollBackRelease } from './roll-back-release.ts'
import { rollback } from './rollback.ts'
import { scaleFormations } from './scale-formations.ts'

const pool = aDatabase()

/** An app whose second deploy is to be taken back; the first had three large workers besides. */
async function anAppOnTrial() {
  const made = await anApp(pool)
  await made.deploy({ web: 'well', worker: 'work' })
  const three = { type: 'worker', quantity: 3, size: 'standard-2x' }
  await inTransaction(pool, (tx) =>
    scaleFormations(tx, { app: made.app, wishes: [three], scaler: made.account }),
  )
  const [, , good] = await releasesOf(pool, made.app.id)
  assert.ok(good)
  await recordReady(pool, good.id, systemClock.now())
  await made.deploy({ web: 'ill' })
  const [, , , bad] = await releasesOf(pool, made.app.id)
  assert.ok(bad)
  return {
    ...made,
    failTrial: (limits = HEROKU_LIMITS) =>
      inTransaction(pool, (tx) => {
        const trial = { app: made.app.id, release: bad.id, failure: 'web.1 fell ill' }
        const now = systemClock.now()
        return rollBackRelease(tx, { ...trial, now }, { secrets, limits })
      }),
    scale: async () => describeScale(await formationsOf(pool, made.app.id)),
    releases: async () =>
      (await releasesOf(pool, made.app.id))
        .slice(2)
        .map((it) => `${it.description.split(' ')[0]} ${it.status}`),
  }
}

test('a release that fails its trial is taken back, once', async () => {
  const { failTrial, releases } = await anAppOnTrial()
  await failTrial()
  await failTrial()
  assert.deepEqual(await releases(), [
    'Deploy succeeded',
    'Deploy failed',
    'Automatic succeeded',
  ])
})

test('with the release come back the dynos of a process type that it alone had', async () => {
  const { app, failTrial, scale } = await anAppOnTrial()
  assert.equal(await scale(), 'web@1:Standard-1X')
  await failTrial()
  assert.equal(await scale(), 'web@1:Standard-1X worker@3:Standard-2X')
  const { rows } = await pool.query(
    `select message from events where app = $1 and kind = 'formation.scaled' order by id`,
    [app.id],
  )
  assert.deepEqual(
    rows.slice(-3).map((it: { message: string }) => it.message.replace(/ by .*/, '')),
    [
      'Scaled to worker@3:Standard-2X',
      'Scaled to worker@0:Standard-2X',
      'Scaled to worker@3:Standard-2X',
    ],
  )
})

for (const [meanwhile, scale, limits] of [
  [{ quantity: 99 }, 'web@99:Standard-1X worker@1:Standard-2X'],
  [{ quantity: 100 }, 'web@100:Standard-1X worker@0:Standard-2X'],
  [{ size: 'basic' }, 'web@1:Basic worker@1:Basic'],
  [{ size: 'performance-m' }, 'web@1:Performance-M worker@3:Standard-2X'],
  [{}, 'web@1:Standard-1X worker@2:Standard-2X', { ...HEROKU_LIMITS, dynosPerApp: 3 }],
] as const) {
  test(`as many of them as the limits leave: ${scale}`, async () => {
    const { app, account, failTrial, scale: scaleOf } = await anAppOnTrial()
    const wish = { type: 'web', quantity: undefined, size: undefined, ...meanwhile }
    await inTransaction(pool, (tx) =>
      scaleFormations(tx, { app, wishes: [wish], scaler: account }),
    )
    await failTrial(limits)
    assert.equal(await scaleOf(), scale)
  })
}

for (const [how, comesBack] of [
  ['a rollback by hand', rollBack],
  ['a deploy', (made: AnApp) => made.deploy({ web: 'x', worker: 'y' })],
] as const) {
  test(`${how} that has the process type again has no dynos of it, as on Heroku`, async () => {
    const made = await anAppOnTrial()
    await comesBack(made)
    assert.equal(await made.scale(), 'web@1:Standard-1X worker@0:Standard-1X')
  })
}

async function rollBack({ app, account }: AnApp): Promise<void> {
  await inTransaction(pool, (tx) =>
    rollback(tx, { app: app.id, account, release: 'v3' }, secrets),
  )
}

test('not where the app was destroyed meanwhile', async () => {
  const made = await anAppOnTrial()
  await inTransaction(pool, (tx) => destroyApp(tx, made.app, made.account))
  await made.failTrial()
  assert.deepEqual(await made.releases(), ['Deploy succeeded', 'Deploy succeeded'])
})

test('not while the next one is on its way', async () => {
  const made = await anAppOnTrial()
  await made.deploy({ web: 'cured', release: 'migrate' })
  await made.failTrial()
  assert.deepEqual(await made.releases(), [
    'Deploy succeeded',
    'Deploy succeeded',
    'Deploy pending',
  ])
})

test('what it goes back to needs no release command again', async () => {
  const made = await anAppOnTrial()
  await pool.query(
    `update slugs set process_types = process_types || '{"release": "migrate"}' where app = $1`,
    [made.app.id],
  )
  await made.failTrial()
  assert.equal((await made.releases()).at(-1), 'Automatic succeeded')
})
