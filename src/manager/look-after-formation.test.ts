/** The manager's own code over the memory runtime, a real database, and a clock we turn. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { type AnApp, anApp, secrets } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { DAY, HOUR, later, MINUTE, SECOND } from '../lib/clock.ts'
import type { Dyno } from '../model/dyno.ts'
import type { DynoId } from '../model/ids.ts'
import { HEROKU_TIMINGS } from '../model/timings.ts'
import {
  MemoryRuntime,
  type MemoryRuntimeOptions,
} from '../runtime/memory/memory-runtime.ts'
import { RuntimeError, SlugChecksumError } from '../runtime/runtime.ts'
import { liveDynos } from '../store/dynos.ts'
import type { Health } from './facts.ts'
import { lookAfterFormation } from './look-after-formation.ts'

const pool = aDatabase()
const { signal } = new AbortController()
const timings = () => HEROKU_TIMINGS

/** One app whose manager and router look as often as they like; time passes only by `wait`. */
async function aWorld(options: MemoryRuntimeOptions = {}) {
  let now = new Date('2026-01-01T00:00:00Z')
  const clock = { now: () => now }
  const runtime = new MemoryRuntime(clock, options)
  const health = new Map<DynoId, Health>()
  const aManager = () =>
    lookAfterFormation({
      pool,
      runtime,
      secrets,
      clock,
      timings,
      health: () => health,
      place: async (ids) => new Set(ids),
    })
  let look = aManager()
  const it = await anApp(pool)

  return {
    it,
    runtime,
    health,
    lookOnce: async () => look(await it.formation('web'), signal),
    /** The manager dies, and after so many milliseconds another begins. */
    standStill: (milliseconds: number): void => {
      now = later(now, milliseconds)
      look = aManager()
    },
    /** Looks and routes until nobody has anything to do. */
    settle: async (type = 'web'): Promise<Dyno[]> => {
      const formation = await it.formation(type)
      for (let looks = 0; ; looks++) {
        assert.ok(looks < 200, 'it never settles')
        const delay = await look(formation, signal)
        const routed = await route(it)
        if (delay > 0 && !routed) return liveDynos(pool, formation)
      }
    },
    wait: (milliseconds: number): void => {
      now = later(now, milliseconds)
    },
  }
}

/** The router, as far as the manager can tell. Says whether anything changed. */
async function route({ app }: AnApp): Promise<boolean> {
  const { rows } = await pool.query(
    `update dynos set routed = (state = 'up')
      where app = $1 and type = 'web' and routed <> (state = 'up') returning id`,
    [app.id],
  )
  return rows.length > 0
}

async function ask(it: AnApp, change: string): Promise<void> {
  await pool.query(`update formations set ${change} where app = $1`, [it.app.id])
}

async function askRestart(it: AnApp, at: Date): Promise<void> {
  await pool.query('update dynos set restart_requested_at = $2 where app = $1', [
    it.app.id,
    at,
  ])
}

const firstStart = [
  'web.1 Starting process with command `node index.js`',
  'web.1 State changed from starting to up',
]

test('a first deploy starts a web dyno', async () => {
  const { it, settle } = await aWorld()
  await it.deploy()
  const [web1, ...others] = await settle()
  assert.equal(web1?.state, 'up')
  assert.deepEqual(others, [])
  assert.deepEqual(await it.told(), firstStart)
})

test('the log shows the command with config vars expanded', async () => {
  const { it, settle, runtime } = await aWorld()
  await it.deploy({ web: 'serve -p ${PORT:-5000} $MODE $OTHER' }, { MODE: 'fast' })
  const [web1] = await settle()
  assert.ok(web1)
  assert.deepEqual(
    (await it.told())[0],
    `web.1 Starting process with command \`serve -p ${web1.port} fast $OTHER\``,
  )
  assert.equal(runtime.spec(web1.id)?.environment['MODE'], 'fast')
  assert.equal(runtime.spec(web1.id)?.environment['DYNO'], 'web.1')
})

test('a dyno that nobody started while no manager looked is started', async () => {
  const { it, lookOnce, standStill, settle } = await aWorld()
  await it.deploy()
  // It is a row by then, and nothing else.
  await lookOnce()
  standStill(3 * MINUTE)
  assert.equal((await settle())[0]?.state, 'up')
  assert.deepEqual(await it.told(), firstStart)
})

test('a web dyno is replaced by one that is up before it goes', async () => {
  const { it, settle } = await aWorld()
  await it.deploy()
  const [before] = await settle()
  await askRestart(it, new Date())
  const [after] = await settle()
  assert.notEqual(after?.id, before?.id)
  assert.deepEqual((await it.told()).slice(2), [
    'web.1 Restarting',
    'web.1 State changed from up to starting',
    ...firstStart,
    'web.1 Stopping all processes with SIGTERM',
    'web.1 Process exited with status 143',
  ])
})

test('a worker is gone before its successor starts', async () => {
  const { it, settle } = await aWorld()
  await it.deploy()
  await ask(it, `quantity = 1`)
  await settle('worker')
  await askRestart(it, new Date())
  await settle('worker')
  assert.deepEqual((await it.told('worker')).slice(2), [
    'worker.1 Restarting',
    'worker.1 State changed from up to starting',
    'worker.1 Stopping all processes with SIGTERM',
    'worker.1 Process exited with status 143',
    'worker.1 Starting process with command `node work.js`',
    'worker.1 State changed from starting to up',
  ])
})

test('a dyno cycles a day and some minutes after it started', async () => {
  const { it, settle, wait } = await aWorld()
  await it.deploy()
  const [before] = await settle()
  wait(24 * HOUR - SECOND)
  assert.equal((await settle())[0]?.id, before?.id)
  wait(216 * MINUTE + SECOND)
  assert.notEqual((await settle())[0]?.id, before?.id)
  assert.ok((await it.told()).includes('web.1 Cycling'))
})

test('in thirty days every dyno is replaced about once a day, each at its own moment', async () => {
  const DAYS = 30
  const STEP = 2 * HOUR
  const { it, settle, wait } = await aWorld()
  await it.deploy()
  await ask(it, 'quantity = 3')
  const seen = new Set<string>()
  const moments = new Set<number>()
  for (let passed = 0; passed < DAYS * DAY; passed += STEP) {
    const dynos = await settle()
    assert.ok(dynos.every((dyno) => dyno.state === 'up'))
    for (const dyno of dynos.filter(({ id }) => !seen.has(id))) {
      seen.add(dyno.id)
      moments.add(passed)
    }
    wait(STEP)
  }
  // A life is 24 h to 27 h 36 min, and noticed at the end of a step.
  assert.ok(seen.size >= 3 * 24 && seen.size <= 3 * 31, `${seen.size} dynos`)
  assert.ok(moments.size > DAYS, `${moments.size} moments`)
})

test('a crash restarts at once, the next after a while', async () => {
  const { it, settle, wait, runtime } = await aWorld()
  await it.deploy()
  const [first] = await settle()
  assert.ok(first)
  runtime.exit(first.id, 0)
  const [second] = await settle()
  assert.ok(second)
  assert.notEqual(second.id, first.id)
  assert.deepEqual((await it.told()).slice(2, 5), [
    'web.1 Process exited with status 0',
    'web.1 State changed from up to crashed',
    'web.1 State changed from crashed to starting',
  ])

  runtime.exit(second.id, 1)
  const [crashed] = await settle()
  assert.equal(crashed?.state, 'crashed')
  assert.equal(crashed.crashes, 2)
  wait(12 * SECOND)
  assert.equal((await settle())[0]?.state, 'up')
})

test('an hour without a crash clears the count', async () => {
  const { it, settle, wait, runtime } = await aWorld()
  await it.deploy()
  for (let crashes = 0; crashes < 3; crashes++) {
    const [dyno] = await settle()
    assert.equal(dyno?.state, 'up')
    wait(HOUR)
    runtime.exit(dyno.id, 1)
  }
  assert.equal((await settle())[0]?.state, 'up')
})

test('a web dyno that never listens is stopped, and has crashed', async () => {
  const { it, settle, wait } = await aWorld({ boot: () => 'waits' })
  await it.deploy()
  assert.equal((await settle())[0]?.state, 'starting')
  wait(MINUTE)
  await settle()
  assert.deepEqual((await it.told()).slice(1, 6), [
    'web.1 Error R10 (Boot timeout) -> Web process failed to bind to $PORT within 60 seconds of launch',
    'web.1 Stopping process with SIGKILL',
    'web.1 Process exited with status 137',
    'web.1 State changed from starting to crashed',
    'web.1 State changed from crashed to starting',
  ])
})

test('a dyno that ignores SIGTERM is killed after 30 s', async () => {
  const { it, settle, wait } = await aWorld({ heedsSigterm: () => false })
  await it.deploy()
  await settle()
  await ask(it, 'quantity = 0')
  await settle()
  wait(30 * SECOND)
  assert.deepEqual(await settle(), [])
  assert.deepEqual((await it.told()).slice(2), [
    'web.1 State changed from up to down',
    'web.1 Stopping all processes with SIGTERM',
    'web.1 Error R12 (Exit timeout) -> At least one process failed to exit within 30 seconds of SIGTERM',
    'web.1 Stopping remaining processes with SIGKILL',
    'web.1 Process exited with status 137',
  ])
})

test('after a power cut every dyno is started anew, none counted as a crash', async () => {
  const { it, settle, wait, runtime } = await aWorld()
  await it.deploy()
  await ask(it, 'quantity = 3')
  const before = await settle()
  wait(HOUR)
  for (const dyno of before) runtime.lose(dyno.id)
  const dynos = await settle()
  assert.deepEqual(
    dynos.map((dyno) => [dyno.ordinal, dyno.state, dyno.crashes]),
    [1, 2, 3].map((ordinal) => [ordinal, 'up', 0]),
  )
})

test('a release whose dynos crash at boot leaves the old ones serving', async () => {
  let broken = false
  const { it, settle } = await aWorld({ boot: () => (broken ? { exits: 1 } : 'listens') })
  await it.deploy()
  const [before] = await settle()
  broken = true
  await it.deploy({ web: 'node broken.js' })
  const dynos = await settle()
  assert.deepEqual(
    dynos.map((dyno) => [dyno.id === before?.id, dyno.state, dyno.leaving, dyno.routed]),
    [
      [true, 'up', true, true],
      [false, 'crashed', false, false],
    ],
  )
})

const check = { path: '/health', interval: 10_000, timeout: 5_000, grace: 0, failures: 3 }
const well: Health = { well: true, failures: 0, fault: '' }
const sick: Health = { well: false, failures: 3, fault: 'it answered 503' }

async function askHealth(it: AnApp): Promise<void> {
  await pool.query('update slugs set healthchecks = $2 where app = $1', [
    it.app.id,
    { web: check },
  ])
}

async function enable(it: AnApp, feature: string): Promise<void> {
  await pool.query(
    'insert into app_features (app, name, enabled) values ($1, $2, true)',
    [it.app.id, feature],
  )
}

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

async function eventsOf({ app }: AnApp): Promise<string[]> {
  const { rows } = await pool.query<{ event: string }>(
    `select concat_ws(' ', kind, ps, cause) as event from events
      where app = $1 and dyno is not null order by id`,
    [app.id],
  )
  return rows.map((row) => row.event)
}

test('the log says when a crashed dyno is started next', async () => {
  const { it, settle } = await aWorld({ boot: () => ({ exits: 1 }) })
  await it.deploy()
  const [crashed] = await settle()
  const at = crashed?.nextAttemptAt?.toISOString().slice(0, 19)
  assert.match(
    (await it.told()).at(-1) ?? '',
    new RegExp(
      `^web.1 Restarting in (9|10|11) seconds \\(crash 2 in a row; next attempt at ${at}Z\\)$`,
    ),
  )
})

test('a web dyno with a health check is up when it answers well', async () => {
  const { it, settle, health } = await aWorld()
  await it.deploy()
  await askHealth(it)
  const [dyno] = await settle()
  assert.equal(dyno?.state, 'starting')
  health.set(dyno.id, well)
  assert.equal((await settle())[0]?.state, 'up')
})

test('an unhealthy web dyno is replaced, and the log says why', async () => {
  const { it, settle, health } = await aWorld()
  await it.deploy()
  const [before] = await settle()
  assert.ok(before)
  await askHealth(it)
  health.set(before.id, sick)
  const [old, successor] = await settle()
  assert.deepEqual([old?.id, old?.state, old?.leaving], [before.id, 'up', true])
  assert.ok(successor)
  health.set(successor.id, well)
  const [after, ...others] = await settle()
  assert.deepEqual([after?.id, after?.state, others], [successor.id, 'up', []])
  assert.deepEqual((await it.told()).slice(2, 5), [
    'web.1 Health check at /health failed 3 times in a row: it answered 503',
    'web.1 Restarting',
    'web.1 State changed from up to starting',
  ])
})

test('a slug that is not what was built is no plain crash', async () => {
  let damaged = true
  const { it, settle, wait } = await aWorld({
    boot: () => {
      if (damaged) throw new SlugChecksumError('SHA256:aa', 'SHA256:bb')
      return 'listens'
    },
  })
  await it.deploy()
  const [crashed] = await settle()
  assert.deepEqual([crashed?.state, crashed?.stopReason], ['crashed', 'checksum'])
  assert.deepEqual((await it.told()).slice(1, 3), [
    'web.1 Error R17 (Checksum error) -> Checksum does match expected value. Expected: SHA256:aa Actual: SHA256:bb',
    'web.1 State changed from starting to crashed',
  ])
  damaged = false
  wait(12 * SECOND)
  assert.equal((await settle())[0]?.state, 'up')
})

test('dynos whose slug is verified for longer than a start may take are not late', async () => {
  let isVerified = false
  const { it, settle, wait } = await aWorld({
    boot: () => {
      if (isVerified) return 'listens'
      throw new RuntimeError('slug_unverified', 'it is being verified')
    },
  })
  await it.deploy()
  // More than boot in one look.
  await ask(it, 'quantity = 30')
  for (let waited = 0; waited < 5 * MINUTE; waited += 10 * SECOND) {
    const dynos = await settle()
    assert.deepEqual(new Set(dynos.map(({ state }) => state)), new Set(['starting']))
    wait(10 * SECOND)
  }
  isVerified = true
  const dynos = await settle()
  assert.deepEqual([dynos.length, dynos.every(({ state }) => state === 'up')], [30, true])
  assert.ok(!(await it.told()).some((line) => line.includes('Error')))
})

test('a dyno that waits for room is left alone, and then starts', async () => {
  const { it, settle, wait, runtime } = await aWorld()
  await it.deploy()
  const formation = await it.formation('web')
  const [dyno] = await settle()
  assert.ok(dyno)
  await pool.query(
    `update dynos set state = 'starting', started_at = null, waiting_for = 'capacity'
      where formation = $1`,
    [formation],
  )
  runtime.forget(dyno.id)
  wait(HOUR)
  assert.equal((await settle())[0]?.state, 'starting')
  await pool.query(
    `update dynos set waiting_for = null, updated_at = '2026-01-01T01:00:00Z' where formation = $1`,
    [formation],
  )
  const [after] = await settle()
  assert.deepEqual([after?.id, after?.state], [dyno.id, 'up'])
})

test('a release whose first web dynos fail twice is taken back while the old ones serve', async () => {
  let broken = false
  const { it, settle } = await aWorld({ boot: () => (broken ? { exits: 1 } : 'listens') })
  await it.deploy({ web: 'node index.js' }, { MODE: 'good' })
  await ask(it, 'quantity = 5')
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
  const { it, settle, runtime } = await aWorld({
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

test('a first release that fails is not taken back', async () => {
  const { it, settle } = await aWorld({ boot: () => ({ exits: 1 }) })
  await it.deploy()
  await settle()
  assert.equal((await releasesOf(it)).at(-1)?.status, 'succeeded')
})

test('an idle app sleeps with all its dynos, and a release wakes it', async () => {
  const { it, settle } = await aWorld()
  await it.deploy()
  await ask(it, 'quantity = 1')
  await settle()
  await settle('worker')
  await pool.query('update apps set idle_since = now() where id = $1', [it.app.id])
  for (const type of ['web', 'worker']) {
    const dynos = await settle(type)
    assert.deepEqual(
      dynos.map((dyno) => dyno.state),
      ['idle'],
    )
  }

  await it.deploy({ web: 'node second.js', worker: 'node work.js' })
  const [awake] = await settle()
  assert.deepEqual([awake?.state, awake?.command], ['up', 'node second.js'])
  assert.deepEqual((await it.told('web.1')).slice(2), [
    'web.1 Idling',
    'web.1 State changed from up to down',
    'web.1 Stopping all processes with SIGTERM',
    'web.1 Process exited with status 143',
    'web.1 Unidling',
    'web.1 State changed from down to starting',
    'web.1 Starting process with command `node second.js`',
    'web.1 State changed from starting to up',
  ])
})

test('an idle app can be scaled', async () => {
  const { it, settle } = await aWorld()
  await it.deploy()
  await ask(it, 'quantity = 3')
  await settle()
  await pool.query('update apps set idle_since = now() where id = $1', [it.app.id])
  await settle()
  await ask(it, 'quantity = 2')
  assert.equal((await settle()).length, 2)
  await ask(it, 'quantity = 4')
  await settle()
  await pool.query('update apps set idle_since = null where id = $1', [it.app.id])
  assert.deepEqual(
    (await settle()).map(({ ordinal, state }) => [ordinal, state]),
    [
      [1, 'up'],
      [2, 'up'],
      [3, 'up'],
      [4, 'up'],
    ],
  )
})

test('with preboot the dynos of a release take over together', async () => {
  const { it, settle, wait } = await aWorld()
  await enable(it, 'preboot')
  await it.deploy()
  await ask(it, 'quantity = 5')
  const before = await settle()
  await it.deploy({ web: 'node second.js' })
  const releasedAt = '2026-01-01T00:00:00Z'
  await pool.query('update apps set released_at = $2 where id = $1', [
    it.app.id,
    releasedAt,
  ])
  const both = await settle()
  assert.deepEqual(
    both.filter((dyno) => dyno.routed).map((dyno) => dyno.id),
    before.map((dyno) => dyno.id),
  )
  assert.equal(both.filter((dyno) => dyno.state === 'starting').length, 5)
  wait(3 * MINUTE)
  const after = await settle()
  assert.ok(after.every((dyno) => dyno.state === 'up' && !dyno.leaving))
  assert.deepEqual([...new Set(after.map((dyno) => dyno.command))], ['node second.js'])
})

test('a dyno over its share of memory is restarted for that', async () => {
  const { it, settle } = await aWorld()
  await it.deploy()
  const [before] = await settle()
  await pool.query(
    `update dynos set restart_requested_at = now(), restart_because = 'memory' where app = $1`,
    [it.app.id],
  )
  const [after] = await settle()
  assert.notEqual(after?.id, before?.id)
  const { rows } = await pool.query<{ reason: string }>(
    'select stop_reason as reason from dynos where id = $1',
    [before?.id],
  )
  assert.deepEqual(rows, [{ reason: 'memory' }])
})

test('what an app says of its dynos holds for them alone', async () => {
  const { it, settle, wait } = await aWorld({ heedsSigterm: () => false })
  await it.deploy({ web: 'node index.js' }, { MAYFLY_STOP_GRACE: '5' })
  await settle()
  await ask(it, 'quantity = 0')
  await settle()
  wait(5 * SECOND)
  assert.deepEqual(await settle(), [])
  assert.ok(
    (await it.told()).includes(
      'web.1 Error R12 (Exit timeout) -> At least one process failed to exit within 5 seconds of SIGTERM',
    ),
  )
})

test('every transition is an event with its cause', async () => {
  const { it, settle, runtime } = await aWorld()
  await it.deploy()
  const [first] = await settle()
  assert.ok(first)
  runtime.exit(first.id, 1)
  await settle()
  await askRestart(it, new Date())
  await settle()
  assert.deepEqual(await eventsOf(it), [
    'dyno.starting web.1',
    'dyno.up web.1',
    'dyno.crashed web.1 crash',
    'dyno.down web.1 crash',
    'dyno.starting web.1',
    'dyno.up web.1',
    'dyno.restarting web.1 restart',
    'dyno.starting web.1',
    'dyno.up web.1',
    'dyno.stopping web.1 restart',
    'dyno.exited web.1 restart',
    'dyno.down web.1 restart',
  ])
})
