/**
 * Under steady load neither the death of any part nor whatever replaces web dynos loses a request.
 * Every part is killed with SIGKILL, one after the other and all at once: no dyno restarts, and what
 * is asked for afterwards still happens. One replacement of each kind here; ten of each with
 * `./mayfly test --soak`.
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
const PARTS = ['api', 'git', 'logs', 'rendezvous', 'manager-us', 'manager-eu', 'postgres']

let app: PushedApp
let load: Load
/** Of all dynos, until the first is replaced. */
let dynos: readonly string[]

const journey = aJourney({
  async begin(it) {
    app = await anApp(it, { source: 'bench/tiny-app', name: 'no-loss' })
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

/** Makes every web dyno another one by `act`, and sees that no request was lost on the way. */
async function replaces(act: () => Promise<unknown>): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    await journey.replaces(app.name, act)
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

test('autoscaling, until a person says otherwise; and all is counted', async () => {
  const log = await app.tail({ source: 'app', dyno: 'api' })
  await app.heroku('config:set', 'MAYFLY_AUTOSCALE=3-4 p95=5000')
  await until('there are as many as it wants at least', async () =>
    (await journey.dynos(app.name)).some((dyno) => dyno.name === 'web.3'),
  )
  await until('the log tells of that', () =>
    /app\[api\]: Scaled to web@3:Standard-1X by autoscaler \(3 to 4 dynos\)/.test(
      log.said(),
    ),
  )
  await journey.calm(app.name)
  await app.heroku('ps:scale', 'web=2')
  await until('the log tells of the end of it', () =>
    /app\[api\]: Autoscaling disabled: web@2 is not within 3 to 4 dynos/.test(log.said()),
  )
  await log.end()
  await journey.calm(app.name)
  assert.deepEqual(load.tally().failures, [])

  const text = await metrics()
  const [, answered] =
    /^mayfly_requests_total\{app="no-loss",class="2xx"\} (\d+)$/m.exec(text) ?? []
  assert.ok(Number(answered) >= PER_SECOND, text)
  assert.match(text, /^mayfly_dynos\{app="no-loss",type="web",state="up"\} 2$/m)
  assert.match(text, /^mayfly_dyno_stops_past_hour\{.*cause="scale down"\} \d+$/m)
})

async function metrics(): Promise<string> {
  const { HEROKU_HOST, HEROKU_API_KEY } = journey.env
  const headers = { authorization: `Bearer ${HEROKU_API_KEY}` }
  return (await fetch(`${HEROKU_HOST}/metrics`, { headers })).text()
}

test('no request was lost in all that', async () => {
  const { answered, failures } = await load.stop()
  assert.deepEqual(failures, [])
  assert.ok(answered > 0)
})
