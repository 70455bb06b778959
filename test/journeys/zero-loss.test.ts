/**
 * Under steady load, whatever replaces web dynos loses no request. One of each here; ten of
 * each with `./mayfly test --soak`.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { HOUR } from '../../src/lib/clock.ts'
import { aJourney } from './a-journey.ts'
import { type Load, steadyLoad } from '../steady-load.ts'
import { until } from '../until.ts'
import { anApp, type PushedApp } from './a-pushed-app.ts'

const ROUNDS = process.env['MAYFLY_SOAK'] ? 10 : 1
const PER_SECOND = 200

let app: PushedApp
let load: Load

const journey = aJourney({
  regions: ['us'],
  async begin(it) {
    app = await anApp(it, { source: 'examples/hello-node', name: 'no-loss' })
    await app.push('The first')
    await app.heroku('ps:scale', 'web=2')
    await it.calm(app.name)
    load = steadyLoad(app.url, PER_SECOND)
  },
})

/** Makes every web dyno another one by `act`, and sees that no request was lost on the way. */
async function replaces(act: () => Promise<unknown>): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const earlier = new Set((await journey.dynos(app.name)).map((dyno) => dyno.id))
    await act()
    await until('every dyno is another', async () =>
      (await journey.dynos(app.name)).every((dyno) => !earlier.has(dyno.id)),
    )
    await journey.calm(app.name)
    assert.deepEqual(load.tally().failures, [])
  }
}

test('a deploy', () => replaces(() => app.push('Another')))

test('a config change', () =>
  replaces(() => app.heroku('config:set', `AT=${Date.now()}`)))

test('a restart', () => replaces(() => app.heroku('ps:restart')))

test('a cycle', () => {
  let clockOffset = 0
  return replaces(async () => {
    clockOffset += 28 * HOUR
    journey.configure({ clockOffset })
  })
})

test('a scale down', async () => {
  for (let round = 0; round < ROUNDS; round++) {
    await app.heroku('ps:scale', 'web=4')
    await journey.calm(app.name)
    await app.heroku('ps:scale', 'web=2')
    await journey.calm(app.name)
    assert.deepEqual(load.tally().failures, [])
  }
})

test('no request was lost in all that', async () => {
  const { answered, failures } = await load.stop()
  assert.deepEqual(failures, [])
  assert.ok(answered > 0)
})
