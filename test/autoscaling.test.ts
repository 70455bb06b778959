/**
 * Autoscaling from one end to the other: requests through a real HAProxy, counted as `logs`
 * counts them, and the manager's look. The clock is the test's, so that no hour must pass.
 */

import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { HOUR, later, MINUTE, pause, systemClock } from '../src/lib/clock.ts'
import { silentLog } from '../src/lib/log.ts'
import { Channels } from '../src/logs/channels.ts'
import { RouterCounts } from '../src/logs/router-counts.ts'
import { routerLineServer } from '../src/logs/router-lines.ts'
import { parseRouterRecord } from '../src/logs/router-line.ts'
import { lookAfterAutoscaling } from '../src/manager/look-after-autoscaling.ts'
import type { AppId } from '../src/model/ids.ts'
import { HEROKU_LIMITS } from '../src/model/limits.ts'
import { together } from '../src/model/router-measures.ts'
import {
  noteCounting,
  putRouterMeasures,
  routerMeasures,
} from '../src/store/router-measures.ts'
import { aBackend, aRouter } from './a-router.ts'
import { anApi, type Json } from './an-api.ts'
import { aDatabase } from './postgres.ts'
import { requestsIn } from './requests-in.ts'
import { until } from './until.ts'

const pool = aDatabase()
const TARGET = 2000
const REQUESTS = 25

test('web dynos come when the app is slow, go when fewer do, and stay when a person says so', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'mayfly-autoscaling-'))
  const logSocket = join(directory, 'syslog.sock')
  let ahead = 0
  const clock = { now: () => later(systemClock.now(), ahead) }
  const counts = new RouterCounts(clock)
  const lines = routerLineServer({
    channels: new Channels(directory),
    parse: parseRouterRecord,
    counts,
    log: silentLog,
  })
  await once(lines.listen(logSocket), 'listening')
  chmodSync(directory, 0o755)
  chmodSync(logSocket, 0o666)
  t.after(() => {
    lines.close()
    rmSync(directory, { recursive: true })
  })
  const router = await aRouter(t, pool, { logSocket })
  const { call, account } = await anApi(pool)
  const app = await router.app('busy')
  await pool.query('update apps set owner = $2 where id = $1', [app, account.id])
  let slow = true
  const answer = async () => {
    const dyno = await aBackend(t, (_request, response) => {
      void pause(slow ? TARGET + 100 : 0).then(() => response.end('hello'))
    })
    await router.dyno(app, dyno)
    await router.look()
  }
  await answer()
  await router.start()
  const look = lookAfterAutoscaling({
    pool,
    region: router.region.name,
    clock,
    limits: () => HEROKU_LIMITS,
    log: silentLog,
  })

  let asked = 0
  /** To the beginning of a minute, so many or one more from now: what follows is counted for one. */
  function goOn(minutes: number): void {
    ahead += minutes * MINUTE
    ahead += MINUTE - (clock.now().getTime() % MINUTE)
  }
  /** Many at once, until they are counted and written down; then a look. */
  async function busyMinute(): Promise<number> {
    const all = Array.from({ length: REQUESTS }, () => router.get('busy.localhost'))
    for (const { status } of await Promise.all(all)) assert.equal(status, 200)
    return countedAndLooked(REQUESTS)
  }
  async function countedAndLooked(more: number): Promise<number> {
    asked += more
    await until('all are counted', async () => {
      await counts.flush((counted, writer) => putRouterMeasures(pool, writer, counted))
      const ever = { from: new Date(0), to: later(clock.now(), HOUR) }
      return requestsIn(together(await routerMeasures(pool, [app], ever))) === asked
    })
    await noteCounting(pool, clock.now())
    return looked()
  }
  /** The number of web dynos that are wanted then. */
  async function looked(): Promise<number> {
    const before = await quantityOf(app)
    await look('', AbortSignal.timeout(10_000))
    const after = await quantityOf(app)
    // The database has a clock of its own.
    if (after !== before)
      await pool.query('update formations set updated_at = $1', [clock.now()])
    return after
  }

  assert.equal(await look('', AbortSignal.timeout(10_000)), MINUTE)
  const monitors = `/apps/busy/formation/web/monitors`
  const limits = { min_quantity: 1, max_quantity: 3, value: TARGET }
  const { status, body: monitor } = await call(`POST ${monitors}`, limits)
  assert.equal(status, 201)

  await t.test('none comes for one slow answer beside websockets', async () => {
    goOn(2)
    const count = counts.counter()
    const websocket = { status: 101, code: undefined, service: undefined }
    for (let nth = 1; nth < REQUESTS; nth++) {
      count(app, { ...websocket, connect: 1, queue: 0 })
    }
    await router.get('busy.localhost')
    assert.equal(await countedAndLooked(REQUESTS), 1)
  })

  await t.test('one comes when the app is too slow', async () => {
    goOn(2)
    assert.equal(await busyMinute(), 2)
  })

  await t.test('no third one comes before the second is there', async () => {
    goOn(2)
    assert.equal(await busyMinute(), 2)
  })

  await t.test('none goes while one was too few an hour ago', async () => {
    await answer()
    slow = false
    goOn(2)
    assert.equal(await busyMinute(), 2)
  })

  await t.test('one goes when one is enough', async () => {
    goOn(62)
    await pool.query('update router_counting set since = $1, until = $2', [
      later(clock.now(), -20 * MINUTE),
      clock.now(),
    ])
    assert.equal(await busyMinute(), 1)
  })

  await t.test('what a person wants stays, and ends it beyond its most', async () => {
    const wanted = { quantity: 2 }
    const { body: formation } = await call('PATCH /apps/busy/formation/web', wanted)
    assert.equal(formation.quantity, 2)
    await call('PATCH /apps/busy/formation/web', { quantity: 4 })
    assert.equal(await looked(), 4)
    const [found] = (await call(`GET ${monitors}`)).body as unknown as Json[]
    assert.equal(found?.is_active, false)
  })

  await t.test('there are no more than its most, at once', async () => {
    await call(`PATCH ${monitors}/${monitor.id}`, { is_active: true, max_quantity: 2 })
    assert.equal(await looked(), 2)
  })

  await t.test('there are no more than their size may have', async () => {
    await pool.query(
      `update formations set size = 'Basic', quantity = 1 where app = $1`,
      [app],
    )
    await pool.query('update monitors set min_quantity = 2 where app = $1', [app])
    assert.equal(await looked(), 1)
  })

  await t.test("the app's log is told of each", async () => {
    assert.deepEqual(
      (await told(app)).map((line) => line.replace(/p95 \d+ms above/, 'p95 …ms above')),
      [
        'Autoscaling enabled: web from 1 to 3 dynos for a p95 of 2000ms by user dev@example.com',
        'Scaled to web@2:Standard-1X by autoscaler (p95 …ms above 2000ms)',
        'Scaled to web@1:Standard-1X by autoscaler (p95 within 2000ms)',
        'Scaled to web@2:Standard-1X by user dev@example.com',
        'Scaled to web@4:Standard-1X by user dev@example.com',
        'Autoscaling disabled: web@4 is not within 1 to 3 dynos',
        'Autoscaling enabled: web from 1 to 2 dynos for a p95 of 2000ms by user dev@example.com',
        'Scaled to web@2:Standard-1X by autoscaler (1 to 2 dynos)',
      ],
    )
  })

  await t.test('there is an event for each, with who scaled', async () => {
    const events = await call('GET /apps/busy/events?kind=formation.scaled')
    assert.deepEqual(
      (events.body as unknown as Json[]).map((it) => it.cause),
      ['autoscaling', 'autoscaling', null, null, 'autoscaling'],
    )
  })
})

async function quantityOf(app: AppId): Promise<number> {
  const { rows } = await pool.query<{ quantity: number }>(
    `select quantity from formations where app = $1 and type = 'web'`,
    [app],
  )
  return rows[0]?.quantity ?? NaN
}

/** What its log was told of scaling, in order. */
async function told(app: AppId): Promise<string[]> {
  const { rows } = await pool.query<{ message: string }>(
    `select message from log_lines where app = $1 and source = 'app' order by id`,
    [app],
  )
  return rows.map((row) => row.message)
}
