/**
 * The manager's own code over the memory runtime, a real database, and a clock we turn: starting,
 * replacing, stopping. Beside it `crashes`, `health`, `sleeping-apps` and `trials`.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aManagedApp, ask, askRestart } from '../../test/a-managed-app.ts'
import type { AnApp } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../lib/clock.ts'
import { RuntimeError, SlugChecksumError } from '../runtime/runtime.ts'

const pool = aDatabase()

const firstStart = [
  'web.1 Starting process with command `node index.js`',
  'web.1 State changed from starting to up',
]

test('a first deploy starts a web dyno', async () => {
  const { it, settle } = await aManagedApp(pool)
  await it.deploy()
  const [web1, ...others] = await settle()
  assert.equal(web1?.state, 'up')
  assert.deepEqual(others, [])
  assert.deepEqual(await it.told(), firstStart)
})

test('the log shows the command with config vars expanded', async () => {
  const { it, settle, runtime } = await aManagedApp(pool)
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
  const { it, lookOnce, standStill, settle } = await aManagedApp(pool)
  await it.deploy()
  // It is a row by then, and nothing else.
  await lookOnce()
  standStill(3 * MINUTE)
  assert.equal((await settle())[0]?.state, 'up')
  assert.deepEqual(await it.told(), firstStart)
})

test('a web dyno is replaced by one that is up before it goes', async () => {
  const { it, settle } = await aManagedApp(pool)
  await it.deploy()
  const [before] = await settle()
  await askRestart(pool, it, new Date())
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
  const { it, settle } = await aManagedApp(pool)
  await it.deploy()
  await ask(pool, it, `quantity = 1`)
  await settle('worker')
  await askRestart(pool, it, new Date())
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
  const { it, settle, wait } = await aManagedApp(pool)
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
  const { it, settle, wait } = await aManagedApp(pool)
  await it.deploy()
  await ask(pool, it, 'quantity = 3')
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

test('a dyno that ignores SIGTERM is killed after 30 s', async () => {
  const { it, settle, wait } = await aManagedApp(pool, { heedsSigterm: () => false })
  await it.deploy()
  await settle()
  await ask(pool, it, 'quantity = 0')
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
  const { it, settle, wait, runtime } = await aManagedApp(pool)
  await it.deploy()
  await ask(pool, it, 'quantity = 3')
  const before = await settle()
  wait(HOUR)
  for (const dyno of before) runtime.lose(dyno.id)
  const dynos = await settle()
  assert.deepEqual(
    dynos.map((dyno) => [dyno.ordinal, dyno.state, dyno.crashes]),
    [1, 2, 3].map((ordinal) => [ordinal, 'up', 0]),
  )
})

test('a slug that is not what was built is no plain crash', async () => {
  let damaged = true
  const { it, settle, wait } = await aManagedApp(pool, {
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
  const { it, settle, wait } = await aManagedApp(pool, {
    boot: () => {
      if (isVerified) return 'listens'
      throw new RuntimeError('slug_unverified', 'it is being verified')
    },
  })
  await it.deploy()
  // More than boot in one look.
  await ask(pool, it, 'quantity = 30')
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
  const { it, settle, wait, runtime } = await aManagedApp(pool)
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

async function enable(it: AnApp, feature: string): Promise<void> {
  await pool.query(
    'insert into app_features (app, name, enabled) values ($1, $2, true)',
    [it.app.id, feature],
  )
}

test('with preboot the dynos of a release take over together', async () => {
  const { it, settle, wait } = await aManagedApp(pool)
  await enable(it, 'preboot')
  await it.deploy()
  await ask(pool, it, 'quantity = 5')
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
  const { it, settle } = await aManagedApp(pool)
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
  const { it, settle, wait } = await aManagedApp(pool, { heedsSigterm: () => false })
  await it.deploy({ web: 'node index.js' }, { MAYFLY_STOP_GRACE: '5' })
  await settle()
  await ask(pool, it, 'quantity = 0')
  await settle()
  wait(5 * SECOND)
  assert.deepEqual(await settle(), [])
  assert.ok(
    (await it.told()).includes(
      'web.1 Error R12 (Exit timeout) -> At least one process failed to exit within 5 seconds of SIGTERM',
    ),
  )
})

async function eventsOf({ app }: AnApp): Promise<string[]> {
  const { rows } = await pool.query<{ event: string }>(
    `select concat_ws(' ', kind, ps, cause) as event from events
      where app = $1 and dyno is not null order by id`,
    [app.id],
  )
  return rows.map((row) => row.event)
}

test('every transition is an event with its cause', async () => {
  const { it, settle, runtime } = await aManagedApp(pool)
  await it.deploy()
  const [first] = await settle()
  assert.ok(first)
  runtime.exit(first.id, 1)
  await settle()
  await askRestart(pool, it, new Date())
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
