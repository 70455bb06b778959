/** An app that nobody asks for, looked after: all its dynos sleep, keep their places, and wake. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aManagedApp, ask } from '../../test/a-managed-app.ts'
import { aDatabase } from '../../test/postgres.ts'

const pool = aDatabase()

test('an idle app sleeps with all its dynos, and a release wakes it', async () => {
  const { it, settle } = await aManagedApp(pool)
  await it.deploy()
  await ask(pool, it, 'quantity = 1')
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
  const { it, settle } = await aManagedApp(pool)
  await it.deploy()
  await ask(pool, it, 'quantity = 3')
  await settle()
  await pool.query('update apps set idle_since = now() where id = $1', [it.app.id])
  await settle()
  await ask(pool, it, 'quantity = 2')
  assert.equal((await settle()).length, 2)
  await ask(pool, it, 'quantity = 4')
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
