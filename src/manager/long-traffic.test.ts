/** What goes on for long is traffic until it ends, not when it begins. */

import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test, type TestContext } from 'node:test'

import { aBackend, aRouter, SECRETS, takesUpgrades } from '../../test/a-router.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { later, MINUTE, pause, SECOND } from '../lib/clock.ts'
import type { AppId } from '../model/ids.ts'
import { HEROKU_TIMINGS } from '../model/timings.ts'
import { webTraffic } from '../router/web-traffic.ts'
import { lookAfterIdling, type QuietFor } from './look-after-idling.ts'

const pool = aDatabase()

/** An Eco app of long ago, its router, and looks at it by a clock of the test's own. */
async function anEcoApp(t: TestContext, name: string, idleAfter = 30 * MINUTE) {
  const router = await aRouter(t, pool)
  const app = await router.app(name)
  await pool.query(`update formations set size = 'Eco' where app = $1`, [app])
  await pool.query(
    `update releases set config_vars = $2, created_at = now() - interval '1 day' where app = $1`,
    [app, SECRETS.seal('{}', app)],
  )
  await router.look()
  const clock = { at: new Date(), now: () => clock.at }
  const aManager = (traffic: () => Promise<QuietFor>) => {
    const look = lookAfterIdling({
      pool,
      region: router.region.name,
      secrets: SECRETS,
      clock,
      timings: () => ({ ...HEROKU_TIMINGS, idleAfter }),
      webTraffic: traffic,
    })
    return () => look('', AbortSignal.timeout(10 * SECOND))
  }
  const pass = (time: number) => (clock.at = later(clock.at, time))
  return { router, app, aManager, pass, now: () => clock.at }
}

async function isAsleep(app: AppId): Promise<boolean> {
  const { rows } = await pool.query<{ asleep: boolean }>(
    'select idle_since is not null as asleep from apps where id = $1',
    [app],
  )
  return rows[0]?.asleep ?? false
}

async function notedAt(app: AppId): Promise<Date | undefined> {
  const { rows } = await pool.query<{ at: Date | null }>(
    'select web_traffic_at as at from apps where id = $1',
    [app],
  )
  return rows[0]?.at ?? undefined
}

test('an app whose long websocket ends is awake for as long as after a request', async (t) => {
  const idleAfter = 2 * SECOND
  const { router, app, aManager, pass } = await anEcoApp(t, 'talking', idleAfter)
  const backend = await aBackend(t, undefined)
  takesUpgrades(backend)
  await router.dyno(app, backend)
  await router.look()
  await router.start()
  const traffic = webTraffic(router.directory)
  const { rows } = await pool.query<{ slot: number }>(
    'select slot from router_slots where app = $1',
    [app],
  )
  const quiet = async () => (await traffic())(rows[0]?.slot ?? -1) ?? 0

  const socket = connect(router.port, '127.0.0.1')
  t.after(() => socket.destroy())
  socket.write(
    'GET / HTTP/1.1\r\nHost: talking.localhost\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
  )
  await new Promise((resolve) => socket.once('data', resolve))
  const look = aManager(traffic)
  await look()
  // HAProxy counts its time by itself.
  await pause(2 * idleAfter)
  await look()
  socket.destroy()
  await until('it has ended', async () => (await quiet()) > idleAfter)

  await look()
  assert.equal(await isAsleep(app), false, 'it ended just now')
  await aManager(traffic)()
  assert.equal(await isAsleep(app), false, 'another manager knows, too')
  pass(idleAfter)
  await look()
  assert.equal(await isAsleep(app), true)
})

test('what ended between two looks is traffic until the second', async (t) => {
  const { app, aManager, pass } = await anEcoApp(t, 'brief')
  let quiet: number | undefined = 25 * MINUTE
  const look = aManager(async () => () => quiet)
  assert.equal(await look(), MINUTE)
  assert.equal(await notedAt(app), undefined, 'HAProxy knows of that one by itself')

  pass(MINUTE)
  quiet = 59 * SECOND
  await look()
  pass(29.5 * MINUTE)
  quiet += 29.5 * MINUTE
  assert.equal(await look(), MINUTE / 2)
  pass(MINUTE / 2)
  quiet += MINUTE / 2
  await look()
  assert.equal(await isAsleep(app), true)
})

test('traffic is noted once a minute, and by a clock that was set back at once', async (t) => {
  const { app, aManager, pass, now } = await anEcoApp(t, 'noted')
  const look = aManager(async () => () => 0)
  await look()
  const first = await notedAt(app)
  assert.deepEqual(first, now())
  pass(MINUTE - 1)
  await look()
  assert.deepEqual(await notedAt(app), first)
  pass(1)
  await look()
  assert.deepEqual(await notedAt(app), now())

  pass(-60 * MINUTE)
  const quiet = aManager(async () => () => 40 * MINUTE)
  await quiet()
  assert.deepEqual(await notedAt(app), now())
  pass(30 * MINUTE)
  await quiet()
  assert.equal(await isAsleep(app), true)
})

test('an app that somebody is changing holds up no others', async (t) => {
  const { app, aManager, now } = await anEcoApp(t, 'held')
  const look = aManager(async () => () => 0)
  const user = await pool.connect()
  try {
    await user.query('begin')
    await user.query('select from apps where id = $1 for no key update', [app])
    await look()
    assert.equal(await notedAt(app), undefined)
  } finally {
    await user.query('rollback')
    user.release()
  }
  await look()
  assert.deepEqual(await notedAt(app), now())
})
