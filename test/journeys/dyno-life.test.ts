/** What befalls web dynos, provoked in an app that can be told to misbehave, under load. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { HOUR, SECOND } from '../../src/lib/clock.ts'
import { ask } from '../ask.ts'
import { steadyLoad } from '../steady-load.ts'
import { until } from '../until.ts'
import { aJourney } from './a-journey.ts'
import { anApp, type PushedApp } from './a-pushed-app.ts'

const PER_SECOND = 20
const timings = { bootTimeout: 8 * SECOND, prebootSwitch: 0, prebootOverlap: SECOND }

let app: PushedApp
const journey = aJourney({
  regions: ['us'],
  timings,
  async begin(it) {
    app = await anApp(it, { source: 'test/apps/moody', name: 'moody' })
    await app.push('The first')
    await app.heroku('ps:scale', 'web=2')
    await it.calm(app.name)
  },
})

/** Waits until the app's log has these, in this order, after the moment `since`. */
async function told(since: string, ...patterns: readonly RegExp[]): Promise<void> {
  await until(`the log says ${patterns.join(' … ')}`, async () => {
    const lines = (await app.logs()).split('\n')
    let log = lines.filter((line) => line > since).join('\n')
    return patterns.every((pattern) => {
      const at = log.search(pattern)
      log = log.slice(at)
      return at >= 0
    })
  })
}

/** As log lines begin. */
function now(): string {
  return new Date().toISOString().slice(0, -1)
}

/** Sees that no request is lost while `act` goes on. */
async function underLoad(act: () => Promise<unknown>): Promise<ReadonlySet<string>> {
  const load = steadyLoad(app.url, PER_SECOND)
  try {
    await act()
  } finally {
    await load.stop()
  }
  const { answered, failures, bodies } = load.tally()
  assert.deepEqual(failures, [])
  assert.ok(answered > 0)
  return new Set(bodies.keys())
}

interface ListedRelease {
  readonly version: number
  readonly status: string
  readonly failure: string | null
  readonly current: boolean
}

const misbehaviours: [
  mood: string,
  others: readonly string[],
  failure: RegExp,
  line: RegExp,
][] = [
  [
    'crash',
    [],
    /^web\.\d exited with status 3 before it was ready, 2 times in a row$/,
    /Process exited with status 3/,
  ],
  [
    'deaf',
    ['MAYFLY_BOOT_TIMEOUT=2'],
    /^web\.\d did not bind its port within 2 seconds, 2 times in a row$/,
    /Error R10 \(Boot timeout\) -> Web process failed to bind to \$PORT within 2 seconds of launch/,
  ],
  [
    'sick',
    ['MAYFLY_BOOT_TIMEOUT=2'],
    /^web\.\d did not answer its health check \/health well in time, 2 times in a row$/,
    /Error R10 \(Boot timeout\) -> Web process failed its health check at \/health for 2 seconds after launch: it answered 503/,
  ],
]

for (const [mood, others, failure, line] of misbehaviours) {
  test(`a release that makes it ${mood} is taken back, and nobody notices`, async () => {
    const since = now()
    const bodies = await underLoad(async () => {
      await app.heroku('config:set', `MOOD=${mood}`, 'LINE=second', ...others)
      await told(since, line, /app\[api\]: Release v\d+ failed: web\.\d/)
      await journey.calm(app.name)
    })
    assert.deepEqual([...bodies], ['first'])
    const releases = (await journey.api(
      'GET',
      `/apps/${app.name}/releases`,
    )) as ListedRelease[]
    const [failed, back] = releases.slice(-2)
    assert.equal(failed?.status, 'failed')
    assert.match(failed.failure ?? '', failure)
    assert.deepEqual([back?.status, back?.current], ['succeeded', true])
    assert.match(
      await app.heroku('releases'),
      new RegExp(`v${back?.version} +Rollback to v\\d+: v${failed.version} failed`),
    )
    assert.doesNotMatch(await app.heroku('config'), /MOOD/)
  })
}

test('a dyno that falls ill is replaced without losing a request', async () => {
  const since = now()
  await underLoad(async () => {
    await ask(`${app.url}fall-ill`)
    await told(
      since,
      /heroku\[web\.\d\]: Health check at \/health failed 2 times in a row: it answered 503/,
      /heroku\[web\.\d\]: Restarting\n/,
      /State changed from starting to up/,
    )
    await journey.calm(app.name)
  })
})

test('with preboot the dynos of a release take over together', async () => {
  await app.heroku('features:enable', 'preboot')
  const since = now()
  const bodies = await underLoad(async () => {
    await app.heroku('config:set', 'LINE=second')
    await until('all have a successor', () => journey.containers('us') === 4)
    await told(since, /State changed from starting to up/)
    await journey.calm(app.name)
  })
  assert.deepEqual([...bodies].toSorted(), ['first', 'second'])
  await app.heroku('features:disable', 'preboot')
})

test('a stubborn dyno has as long to stop as its app says', async () => {
  await app.heroku('ps:scale', 'web=1')
  await app.heroku('config:set', 'STUBBORN=1', 'MAYFLY_STOP_GRACE=1')
  await journey.calm(app.name)
  const since = now()
  await app.heroku('ps:stop', 'web.1')
  await told(
    since,
    /Error R12 \(Exit timeout\) -> At least one process failed to exit within 1 seconds of SIGTERM/,
    /Stopping remaining processes with SIGKILL/,
    /Process exited with status 137/,
  )
  await journey.calm(app.name)
})

test('a dyno that crashes again is told when it starts next, and a restart does not wait', async () => {
  const since = now()
  await ask(`${app.url}exit`)
  await told(since, /State changed from crashed to starting/, /from starting to up/)
  await until('it answers', async () => (await ask(app.url)).status === 200)
  await ask(`${app.url}exit`)
  await told(
    since,
    /State changed from up to crashed[^]*State changed from up to crashed/,
    /Restarting in \d+ seconds \(crash 2 in a row; next attempt at 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ\)/,
  )
  assert.match(await app.heroku('ps'), /web\.1: crashed/)
  await app.heroku('ps:restart')
  await journey.calm(app.name)
})

test('a dyno cycles in the window of its app', async () => {
  const window = `${hourUtc(2)}-${hourUtc(3)} UTC`
  // By itself a life of 20 hours would not end before its 17th.
  await app.heroku('config:set', 'MAYFLY_MAX_LIFE=20', `MAYFLY_CYCLING_WINDOW=${window}`)
  await journey.calm(app.name)
  const since = now()
  journey.configure({ ...timings, clockOffset: 4 * HOUR })
  await told(since, /heroku\[web\.1\]: Cycling\n/, /State changed from starting to up/)
  await journey.calm(app.name)
})

function hourUtc(ahead: number): string {
  return `${String((new Date().getUTCHours() + ahead) % 24).padStart(2, '0')}:00`
}

test('a setting that makes no sense is refused', async () => {
  await assert.rejects(
    app.heroku('config:set', 'MAYFLY_BOOT_TIMEOUT=soon'),
    /MAYFLY_BOOT_TIMEOUT must be a whole number of seconds from 1 to 180\./,
  )
})

test('what happened stands in the events', async () => {
  const events = (await journey.api('GET', `/apps/${app.name}/events`)) as {
    readonly kind: string
    readonly cause: string | null
  }[]
  const causes = new Set(events.map(({ kind, cause }) => `${kind}: ${cause}`))
  for (const cause of ['dyno.crashed: crash', 'dyno.restarting: cycling']) {
    assert.ok(causes.has(cause), `${cause} in ${[...causes].join(', ')}`)
  }
})
