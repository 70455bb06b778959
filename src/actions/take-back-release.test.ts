import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApp, secrets } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { systemClock } from '../lib/clock.ts'
import { inTransaction } from '../store/queryable.ts'
import { releasesOf } from '../store/releases.ts'
import { recordReady } from '../store/trials.ts'
import { takeBackRelease } from './take-back-release.ts'

const pool = aDatabase()

/** An app whose second deploy is to be taken back. */
async function anAppOnTrial() {
  const made = await anApp(pool)
  await made.deploy({ web: 'well' })
  const [, , good] = await releasesOf(pool, made.app.id)
  assert.ok(good)
  await recordReady(pool, good.id, systemClock.now())
  await made.deploy({ web: 'ill' })
  const [, , , bad] = await releasesOf(pool, made.app.id)
  assert.ok(bad)
  return {
    ...made,
    takeBack: () =>
      inTransaction(pool, (tx) => {
        const trial = { app: made.app.id, release: bad.id, failure: 'web.1 fell ill' }
        return takeBackRelease(tx, { ...trial, now: systemClock.now() }, secrets)
      }),
    releases: async () =>
      (await releasesOf(pool, made.app.id))
        .slice(2)
        .map((it) => `${it.description.split(' ')[0]} ${it.status}`),
  }
}

test('a release that fails its trial is taken back, once', async () => {
  const { takeBack, releases } = await anAppOnTrial()
  await takeBack()
  await takeBack()
  assert.deepEqual(await releases(), [
    'Deploy succeeded',
    'Deploy failed',
    'Automatic succeeded',
  ])
})

test('not while the next one is on its way', async () => {
  const made = await anAppOnTrial()
  await made.deploy({ web: 'cured', release: 'migrate' })
  await made.takeBack()
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
  await made.takeBack()
  assert.equal((await made.releases()).at(-1), 'Automatic succeeded')
})
