/**
 * Every part is killed with SIGKILL, one after the other and all at once, under load: no
 * request fails, no dyno restarts, and what was asked for afterwards still happens.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aJourney } from './a-journey.ts'
import { type Load, steadyLoad } from '../steady-load.ts'
import { until } from '../until.ts'
import { anApp, type PushedApp } from './a-pushed-app.ts'

const PER_SECOND = 200
const PARTS = ['api', 'git', 'logs', 'rendezvous', 'manager-us', 'manager-eu', 'postgres']

let app: PushedApp
let load: Load
let dynos: readonly string[]

const journey = aJourney({
  async begin(it) {
    app = await anApp(it, { source: 'bench/tiny-app', name: 'undying' })
    await app.push('The first')
    await app.heroku('ps:scale', 'web=2')
    await it.calm(app.name)
    dynos = await ids()
    load = steadyLoad(app.url, PER_SECOND)
  },
})

async function ids(): Promise<string[]> {
  return (await journey.dynos(app.name)).map((dyno) => dyno.id).toSorted()
}

async function allIsWell(): Promise<void> {
  await until('every part is well again', () => journey.isWell())
  assert.deepEqual(await ids(), dynos, 'a dyno was restarted')
  assert.deepEqual(load.tally().failures, [])
}

for (const part of PARTS) {
  test(`kill -9 of ${part}`, async () => {
    await journey.killPart(part)
    await allIsWell()
  })
}

test('kill -9 of the supervisor, and up again', async () => {
  await journey.killSupervisor()
  assert.deepEqual(load.tally().failures, [])
  await journey.up()
  await allIsWell()
})

test('kill -9 of all at once, and up again', async () => {
  await journey.killSupervisor()
  await Promise.all(PARTS.map((part) => journey.killPart(part)))
  assert.deepEqual(load.tally().failures, [])
  await journey.up()
  await allIsWell()
})

test('afterwards a wish still comes true', async () => {
  await app.heroku('ps:restart', 'web.1')
  await until('web.1 is another', async () => {
    const now = await ids()
    return now.length === dynos.length && now.some((id) => !dynos.includes(id))
  })
})

test('no request was lost in all that', async () => {
  assert.deepEqual((await load.stop()).failures, [])
})
