/** What the manager makes of a crash: when the dyno comes back, and what its log says. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aManagedApp } from '../../test/a-managed-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { restartDynos } from '../actions/restart-dynos.ts'
import { HOUR, MINUTE, SECOND } from '../lib/clock.ts'
import { inTransaction } from '../store/queryable.ts'

const pool = aDatabase()

test('a crash restarts at once, the next after a while', async () => {
  const { it, settle, wait, runtime } = await aManagedApp(pool)
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

test('a restart by hand starts a crashed dyno at once, also one that was to be restarted for its memory', async () => {
  const { it, settle, runtime } = await aManagedApp(pool)
  await it.deploy()
  await settle()
  for (let crashes = 0; crashes < 2; crashes++) {
    const [dyno] = await settle()
    assert.ok(dyno)
    runtime.exit(dyno.id, 1)
  }
  const [crashed] = await settle()
  assert.equal(crashed?.state, 'crashed')
  await pool.query(
    `update dynos set restart_requested_at = now(), restart_because = 'memory' where id = $1`,
    [crashed.id],
  )
  assert.equal((await settle())[0]?.id, crashed.id)
  await inTransaction(pool, (tx) => restartDynos(tx, it.app, { all: true }, it.account))
  const [started] = await settle()
  assert.deepEqual([started?.state, started?.crashes], ['up', 0])
})

test('an hour without a crash clears the count', async () => {
  const { it, settle, wait, runtime } = await aManagedApp(pool)
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
  const { it, settle, wait } = await aManagedApp(pool, { boot: () => 'waits' })
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

test('a release whose dynos crash at boot leaves the old ones serving', async () => {
  let broken = false
  const { it, settle } = await aManagedApp(pool, {
    boot: () => (broken ? { exits: 1 } : 'listens'),
  })
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

test('the log says when a crashed dyno is started next', async () => {
  const { it, settle } = await aManagedApp(pool, { boot: () => ({ exits: 1 }) })
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
