/** What is counted of requests, and what autoscaling makes of it, when the clock is set back. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { DAY, HOUR, later, MINUTE, SECOND } from '../src/lib/clock.ts'
import { silentLog } from '../src/lib/log.ts'
import { RouterCounts } from '../src/logs/router-counts.ts'
import { lookAfterAutoscaling } from '../src/manager/look-after-autoscaling.ts'
import { newId } from '../src/model/ids.ts'
import { HEROKU_LIMITS } from '../src/model/limits.ts'
import { together } from '../src/model/router-measures.ts'
import { putMonitor } from '../src/store/monitors.ts'
import {
  ageRouterMeasures,
  forgetMinutes,
  noteCounting,
  putRouterMeasures,
  routerMeasures,
} from '../src/store/router-measures.ts'
import { anApp } from './an-app.ts'
import { aRunningDyno } from './a-running-dyno.ts'
import { aDatabase } from './postgres.ts'
import { requestsIn } from './requests-in.ts'

const DYNOS = 10
const REQUESTS = 60
const REQUEST = { status: 200, code: undefined, service: 900, connect: 1, queue: 0 }

interface Lived {
  readonly from: Date
  readonly many: number
}

const pool = aDatabase()
const { signal } = new AbortController()
const start = new Date('2026-01-01T12:00:00Z')
let now = start
const clock = { now: () => now }

/** As `logs` does. */
const put = (counts: RouterCounts): Promise<void> =>
  counts.flush(async (counted, writer, again) => {
    await forgetMinutes(pool, writer, again)
    await putRouterMeasures(pool, writer, counted)
  })

test('an overloaded app is not scaled down for a clock that is set back', async () => {
  const own = await anApp(pool)
  const { app } = own
  await own.deploy()
  const formation = await own.formation('web')
  await pool.query('update formations set quantity = $2, updated_at = $3 where id = $1', [
    formation,
    DYNOS,
    later(start, -HOUR),
  ])
  for (let nth = 0; nth < DYNOS; nth++)
    await aRunningDyno(pool, { ...own, formation }, now)
  await putMonitor(pool, {
    id: newId(),
    app: app.id,
    isActive: true,
    wanted: { min: 2, max: DYNOS, p95: 500 },
    notificationChannels: [],
    notificationPeriod: 1440,
  })
  const counts = new RouterCounts(clock)
  const look = lookAfterAutoscaling({
    pool,
    region: 'us',
    clock,
    limits: () => HEROKU_LIMITS,
    log: silentLog,
  })
  /** As `logs` does within a minute; then the manager looks. */
  async function minute(): Promise<void> {
    const count = counts.counter()
    for (let nth = 0; nth < REQUESTS; nth++) {
      count(app.id, REQUEST)
    }
    now = later(now, MINUTE)
    await put(counts)
    await noteCounting(pool, now)
    await ageRouterMeasures(pool, now)
    await look('', signal)
  }
  const quantity = async () => {
    const { rows } = await pool.query<{ quantity: number }>(
      'select quantity from formations where id = $1',
      [formation],
    )
    return rows[0]?.quantity
  }

  for (let nth = 0; nth < 30; nth++) await minute()
  assert.equal(await quantity(), DYNOS)
  // As where `logs` has run for days.
  await pool.query('update router_counting set since = $1', [later(start, -2 * DAY)])
  now = later(now, -3 * HOUR)
  const since = now
  for (let nth = 0; nth < 30; nth++) await minute()
  assert.equal(await quantity(), DYNOS)

  // Minutes that come again are not counted twice.
  const counted = async () => {
    const kept = await routerMeasures(pool, [app.id], { from: since, to: now })
    return requestsIn(together(kept))
  }
  assert.equal(await counted(), 30 * REQUESTS)
  now = start
  for (let nth = 0; nth < 30; nth++) await minute()
  assert.equal(await counted(), 60 * REQUESTS)
})

test('a clock that is slewed back counts on in the minute it had got to', async () => {
  const own = await anApp(pool)
  const counts = new RouterCounts(clock)
  const written: string[] = []
  const minute = async () => {
    counts.counter()(own.app.id, REQUEST)
    await counts.flush(async (counted, writer) => {
      written.push(...counted.map((it) => `${writer} ${it.at.toISOString()}`))
    })
  }
  now = start
  await minute()
  now = later(now, -SECOND)
  await minute()
  assert.equal(new Set(written).size, 1)
  now = later(now, -2 * MINUTE)
  await minute()
  // The same minute once more, by a clock that was set right again.
  now = start
  await minute()
  now = later(now, -2 * MINUTE)
  await minute()
  assert.equal(new Set(written).size, 4)
})

test('only the minutes that come again give way, and no others for a clock that is behind', async () => {
  const { app } = await anApp(pool)
  const minutes = async (counts: RouterCounts, { from, many }: Lived) => {
    for (let nth = 0; nth < many; nth++) {
      now = later(from, nth * MINUTE)
      counts.counter()(app.id, REQUEST)
      await put(counts)
    }
    await ageRouterMeasures(pool, now)
  }
  const countedFrom = async (from: Date) => {
    const kept = await routerMeasures(pool, [app.id], { from, to: later(start, DAY) })
    return requestsIn(together(kept))
  }
  const before = new RouterCounts(clock)
  await minutes(before, { from: start, many: 60 })
  // Its successor cannot know that its first clock is the wrong one.
  const counts = new RouterCounts(clock)
  await minutes(counts, { from: later(start, -DAY), many: 5 })
  assert.equal(await countedFrom(start), 60)
  await minutes(counts, { from: later(start, 10 * MINUTE), many: 5 })
  assert.equal(await countedFrom(start), 65)

  // By now ten minutes are taken together.
  await minutes(counts, { from: later(start, 3 * HOUR), many: 1 })
  assert.equal(await countedFrom(start), 66)
  await minutes(counts, { from: later(start, 35 * MINUTE), many: 5 })
  await minutes(counts, { from: later(start, 3 * HOUR + MINUTE), many: 1 })
  assert.equal(await countedFrom(start), 66 - 10 + 5 + 1)
  assert.equal(await countedFrom(later(start, 3 * HOUR)), 2)
})
