/** An app that nobody asks for falls asleep, and the next request wakes it. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { MINUTE, SECOND } from '../../src/lib/clock.ts'
import { ask } from '../ask.ts'
import { until } from '../until.ts'
import { aJourney } from './a-journey.ts'
import { anApp, type PushedApp } from './a-pushed-app.ts'

const journey = aJourney({ regions: ['us'] })
let app: PushedApp

/** What the manager said of a dyno, in order. */
async function told(dyno: string): Promise<string[]> {
  const log = await app.log({ source: 'heroku', dyno })
  return log.split('\n').map((line) => line.replace(/^.*?: /, ''))
}

async function fallsAsleep(): Promise<void> {
  journey.configure({ idleAfter: 3 * SECOND })
  await until('it sleeps', async () => {
    const dynos = await journey.dynos(app.name)
    return dynos.every(({ state }) => state === 'idle')
  })
  // Who wakes is to stay awake.
  journey.configure({ idleAfter: 30 * MINUTE })
}

test('an app without web traffic falls asleep, workers and all', async () => {
  app = await anApp(journey, { source: 'bench/tiny-app', name: 'sleepyhead' })
  await app.push('Hello')
  await app.heroku('ps:scale', 'worker=1')
  await journey.calm(app.name)
  assert.equal((await ask(app.url)).status, 200)
  await app.heroku('features:enable', 'idling')

  await fallsAsleep()
  assert.equal(journey.containers('us'), 0)
  const ps = await app.heroku('ps')
  assert.match(ps, /web\.1: idle/)
  assert.match(ps, /worker\.1: idle/)
  for (const dyno of ['web.1', 'worker.1']) {
    const lines = await told(dyno)
    const [exited, ...before] = lines.slice(lines.indexOf('Idling'), -1).toReversed()
    assert.deepEqual(before.toReversed(), [
      'Idling',
      'State changed from up to down',
      'Stopping all processes with SIGTERM',
    ])
    assert.match(exited ?? '', /^Process exited with status (0|143)$/)
  }
})

test('the next requests wake it and are held, not failed', async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(app.url)))
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
  await journey.calm(app.name)
  assert.equal(journey.containers('us'), 2)
  const lines = await told('web.1')
  assert.deepEqual(lines.slice(lines.indexOf('Unidling'), -1), [
    'Unidling',
    'State changed from down to starting',
    'Starting process with command `perl tiny.pl`',
    'State changed from starting to up',
  ])
  assert.equal((await told('worker.1')).filter((it) => it === 'Unidling').length, 1)
})

test('a request that comes while nobody manages waits until someone does', async () => {
  await fallsAsleep()
  await journey.killSupervisor()
  await journey.killPart('manager-us')
  const held = ask(app.url)
  await journey.up()
  assert.equal((await held).status, 200)
})
