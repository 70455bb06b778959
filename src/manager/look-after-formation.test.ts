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
  const look = lookAfterFormation({
    pool,
    runtime,
    secrets,
    clock,
    timings,
    health: () => health,
  })
  const it = await anApp(pool)

  return {
    it,
    runtime,
    health,
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
