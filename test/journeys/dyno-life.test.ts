/** What befalls the dynos of an app that can be told to misbehave, under load and when nobody asks for it. */

import assert from 'node:assert/strict'
import { after, test } from 'node:test'

import { HOUR, MINUTE, SECOND } from '../../src/lib/clock.ts'
import { ask } from '../ask.ts'
import { steadyLoad } from '../steady-load.ts'
import { until, untilSeen } from '../until.ts'
import { aJourney, type RunningCli } from './a-journey.ts'
import { anApp, type PushedApp } from './a-pushed-app.ts'

const PER_SECOND = 20
const timings = { bootTimeout: 8 * SECOND, prebootSwitch: 0, prebootOverlap: SECOND }

let app: PushedApp
let log: RunningCli
// Before the installation goes.
after(() => log.end())

const journey = aJourney({
  regions: ['us'],
  timings,
  async begin(it) {
    app = await anApp(it, { source: 'test/apps/moody', name: 'moody' })
    await app.push('The first')
    await app.heroku('ps:scale', 'web=2')
    await it.calm(app.name)
    log = it.startHeroku('logs', '--tail', '--no-color', '--app', app.name)
    await until('the log is told', () => log.output() !== '')
  },
})

/** Waits until the app's log says these, in this order, from what is so far its end on. */
function telling(...patterns: readonly RegExp[]): () => Promise<void> {
  const since = log.output().length
  return () =>
    until(`the log says ${patterns.join(' … ')}`, () => {
      let rest = log.output().slice(since)
      return patterns.every((pattern) => {
        const at = rest.search(pattern)
        rest = rest.slice(at)
        return at >= 0
      })
    })
}

/** For a change that replaces the only dyno: waits until that has happened. */
async function replaces(act: () => Promise<unknown>): Promise<void> {
  const told = telling(/State changed from starting to up/, /Process exited with status/)
  await act()
  await told()
  await journey.calm(app.name)
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
    'sick',
    ['MAYFLY_BOOT_TIMEOUT=2'],
    /^web\.\d did not answer its health check \/health well in time, 2 times in a row$/,
    /Error R10 \(Boot timeout\) -> Web process failed its health check at \/health for 2 seconds after launch: it answered 503/,
  ],
]

for (const [mood, others, failure, line] of misbehaviours) {
  test(`a release that makes it ${mood} is taken back, and nobody notices`, async () => {
    const told = telling(line, /app\[api\]: Release v\d+ failed: web\.\d/)
    const bodies = await underLoad(async () => {
      await app.heroku('config:set', `MOOD=${mood}`, 'LINE=second', ...others)
      await told()
      await journey.calm(app.name)
    })
    assert.deepEqual([...bodies], ['first'])
    const releases = await journey.releases(app.name)
    const [failed, back] = releases.slice(-2)
    assert.equal(failed?.status, 'failed')
    assert.match(failed.failure ?? '', failure)
    assert.deepEqual([back?.status, back?.current], ['succeeded', true])
    assert.match(
      await app.heroku('releases'),
      new RegExp(`v${back?.version} +Automatic rollback from v${failed.version} to`),
    )
    assert.doesNotMatch(await app.heroku('config'), /MOOD/)
  })
}

test('a dyno that falls ill is replaced without losing a request', async () => {
  const told = telling(
    /heroku\[web\.\d\]: Health check at \/health failed 2 times in a row: it answered 503/,
    /heroku\[web\.\d\]: Restarting\n/,
    /State changed from starting to up/,
  )
  await underLoad(async () => {
    await ask(`${app.url}fall-ill`)
    await told()
    await journey.calm(app.name)
  })
})

test('with preboot the dynos of a release take over together', async () => {
  await app.heroku('features:enable', 'preboot')
  const told = telling(/State changed from starting to up/)
  const bodies = await underLoad(async () => {
    await app.heroku('config:set', 'LINE=second')
    await until('all have a successor', () => journey.containers('us') === 4)
    await told()
    await journey.calm(app.name)
  })
  assert.deepEqual([...bodies].toSorted(), ['first', 'second'])
  await app.heroku('features:disable', 'preboot')
})

/** What the manager said of a dyno, in order, once `last` is the last of it: its lines come a little after the fact. */
function saidOf(dyno: string, last: RegExp): Promise<string[]> {
  return untilSeen(`${last} is the last of ${dyno}`, async () => {
    const text = await app.log({ source: 'heroku', dyno })
    const lines = text.split('\n').map((line) => line.replace(/^.*?: /, ''))
    return last.test(lines.at(-2) ?? '') ? lines : undefined
  })
}

async function fallsAsleep(): Promise<void> {
  journey.configure({ ...timings, idleAfter: 3 * SECOND })
  await until('it sleeps', async () => {
    const dynos = await journey.dynos(app.name)
    return dynos.every(({ state }) => state === 'idle')
  })
  // Who wakes is to stay awake.
  journey.configure({ ...timings, idleAfter: 30 * MINUTE })
}

test('an app without web traffic falls asleep, workers and all', async () => {
  await app.heroku('ps:scale', 'web=1', 'worker=1')
  await journey.calm(app.name)
  assert.equal((await ask(app.url)).status, 200)
  await app.heroku('features:enable', 'idling')

  await fallsAsleep()
  assert.equal(journey.containers('us'), 0)
  const ps = await app.heroku('ps')
  assert.match(ps, /web\.1: idle/)
  assert.match(ps, /worker\.1: idle/)
  for (const dyno of ['web.1', 'worker.1']) {
    const lines = await saidOf(dyno, /^Process exited/)
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
  const lines = await saidOf('web.1', /to up$/)
  assert.deepEqual(lines.slice(lines.indexOf('Unidling'), -1), [
    'Unidling',
    'State changed from down to starting',
    'Starting process with command `perl server.pl`',
    'State changed from starting to up',
  ])
  const ofWorker = await saidOf('worker.1', /to up$/)
  assert.equal(ofWorker.filter((it) => it === 'Unidling').length, 1)
})

test('a request that comes while nobody manages waits until someone does', async () => {
  await fallsAsleep()
  await journey.killSupervisor()
  await journey.killPart('manager-us')
  const held = ask(app.url)
  await journey.up()
  assert.equal((await held).status, 200)
  await journey.api('PATCH', `/apps/${app.name}/features/idling`, { enabled: false })
})

test('a stubborn dyno has as long to stop as its app says', async () => {
  await app.heroku('ps:scale', 'worker=0')
  await replaces(() => app.heroku('config:set', 'STUBBORN=1', 'MAYFLY_STOP_GRACE=1'))
  const told = telling(
    /Error R12 \(Exit timeout\) -> At least one process failed to exit within 1 seconds of SIGTERM/,
    /Stopping remaining processes with SIGKILL/,
    /Process exited with status 137/,
  )
  await app.heroku('ps:stop', 'web.1')
  await told()
  await journey.calm(app.name)
})

test('of a dyno that crashes again the log says when it starts next, and then it does', async () => {
  const toldOnce = telling(/State changed from crashed to starting/, /starting to up/)
  await ask(`${app.url}exit`)
  await toldOnce()
  await until('it answers', async () => (await ask(app.url)).status === 200)
  const toldAgain = telling(
    /State changed from up to crashed/,
    /Restarting in \d+ seconds \(crash 2 in a row; next attempt at 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ\)/,
    /State changed from crashed to starting/,
    /State changed from starting to up/,
  )
  await ask(`${app.url}exit`)
  await toldAgain()
  await journey.calm(app.name)
})

test('a dyno cycles in the window of its app', async () => {
  const window = `${hourUtc(2)}-${hourUtc(3)} UTC`
  // By itself a life of 20 hours would not end before its 17th.
  await replaces(() =>
    app.heroku('config:set', 'MAYFLY_MAX_LIFE=20', `MAYFLY_CYCLING_WINDOW=${window}`),
  )
  const told = telling(/heroku\[web\.1\]: Cycling\n/, /State changed from starting to up/)
  journey.configure({ ...timings, clockOffset: 4 * HOUR })
  await told()
  await journey.calm(app.name)
})

function hourUtc(ahead: number): string {
  return `${String((new Date().getUTCHours() + ahead) % 24).padStart(2, '0')}:00`
}

test('a setting that makes no sense is refused', async () => {
  await assert.rejects(
    app.heroku('config:set', 'MAYFLY_BOOT_TIMEOUT=soon'),
    /MAYFLY_BOOT_TIMEOUT must be a whole number of seconds/,
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
