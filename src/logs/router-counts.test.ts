import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApp } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { requestsIn } from '../../test/requests-in.ts'
import { DAY, HOUR, later, MINUTE } from '../lib/clock.ts'
import { type AppId, newId } from '../model/ids.ts'
import {
  classesIn,
  codesIn,
  type RequestMeasure,
  servedIn,
  servicePercentile,
  together,
} from '../model/router-measures.ts'
import {
  ageRouterMeasures,
  type CountedMinute,
  putRouterMeasures,
  routerMeasures,
} from '../store/router-measures.ts'
import { RouterCounts } from './router-counts.ts'

const pool = aDatabase()
const start = new Date('2026-01-01T00:00:00Z')
const always = { from: later(start, -30 * DAY), to: later(start, 30 * DAY) }
const well: RequestMeasure = {
  status: 200,
  code: undefined,
  service: 10,
  connect: 1,
  queue: 0,
}

function aCounter() {
  let now = start
  const counts = new RouterCounts({ now: () => now })
  return {
    counts,
    at: (when: Date) => (now = when),
    put: () =>
      counts.flush((counted, writer) => putRouterMeasures(pool, writer, counted)),
  }
}

async function kept(app: AppId) {
  return together(await routerMeasures(pool, [app], always))
}

test('requests are counted by class, code and time, once however often they are written', async () => {
  const { app } = await anApp(pool)
  const { counts, put } = aCounter()
  const count = counts.counter()
  count(app.id, well)
  await put()
  count(app.id, { ...well, status: 304, service: 20 })
  count(app.id, { ...well, status: 503, code: 12, service: 30_000 })
  count(app.id, { ...well, status: 101, service: undefined })
  count(app.id, { ...well, status: 0, code: 24, service: undefined, connect: undefined })
  await put()
  await put()
  const found = await kept(app.id)
  assert.deepEqual([requestsIn(found), servedIn(found)], [5, 3])
  assert.deepEqual(classesIn(found), [1, 1, 1, 0, 1])
  assert.deepEqual(codesIn(found), [
    ['H12', 1],
    ['H24', 1],
  ])
  assert.equal(found.serviceLongest, 30_000)
  assert.equal(found.serviceTotal, 30_030)
  assert.equal(servicePercentile(found, 0.5), 20)
})

test('minutes stand apart, and what a predecessor counted of one is not lost', async () => {
  const { app } = await anApp(pool)
  const [first, second] = [aCounter(), aCounter()]
  first.counts.counter()(app.id, well)
  await first.put()
  second.counts.counter()(app.id, well)
  second.at(later(start, MINUTE))
  second.counts.counter()(app.id, well)
  second.at(later(start, MINUTE / 2))
  second.counts.counter()(app.id, well)
  await second.put()
  const rows = await routerMeasures(pool, [app.id], always)
  assert.deepEqual(
    rows.map((it) => [it.at.toISOString().slice(14, 16), requestsIn(together([it]))]),
    [
      ['00', 1],
      ['00', 1],
      ['01', 2],
    ],
  )
})

test('the totals go on when a minute is over, and end with the app', async () => {
  const { app } = await anApp(pool)
  const { counts, put, at } = aCounter()
  counts.counter()(app.id, well)
  at(later(start, MINUTE))
  counts.counter()(app.id, { ...well, service: 50 })
  await put()
  counts.counter()(app.id, well)
  at(later(start, 5 * MINUTE))
  await put()
  const total = together(counts.totals())
  assert.deepEqual(
    [requestsIn(total), total.serviceTotal, total.serviceLongest],
    [3, 70, 50],
  )
  assert.deepEqual(counts.apps(), [app.id])
  counts.forget(new Set())
  assert.deepEqual(counts.totals(), [])
})

test('what could not be written is written later; apps that there are not are let go', async () => {
  const { app } = await anApp(pool)
  const { counts, put, at } = aCounter()
  const count = counts.counter()
  count(app.id, well)
  count(newId(), well)
  count('-'.repeat(36) as AppId, well)
  await assert.rejects(
    counts.flush(() => Promise.reject(new Error('away'))),
    /away/,
  )
  at(later(start, MINUTE))
  await put()
  assert.equal(requestsIn(await kept(app.id)), 1)
})

test('what others make us remember has an end', async () => {
  const { counts } = aCounter()
  const count = counts.counter()
  for (let it = 0; it < 10_100; it++) count(newId(), well)
  let written: readonly CountedMinute[] = []
  await counts.flush(async (counted) => void (written = counted))
  assert.equal(written.length, 10_000)
})

test('old minutes become ten minutes, these hours, and those are forgotten; no count is lost on the way', async () => {
  const { app } = await anApp(pool)
  const { counts, put, at } = aCounter()
  for (let minute = 0; minute < 60; minute++) {
    at(later(start, minute * MINUTE))
    counts.counter()(app.id, { ...well, service: minute })
    await put()
  }
  const periods = async (now: Date) => {
    await ageRouterMeasures(pool, now)
    const { rows } = await pool.query<{ period: number; count: number }>(
      `select period, count(*)::integer as count from router_measures
        where app = $1 group by period order by period`,
      [app.id],
    )
    return rows.map((it) => [it.period, it.count])
  }
  assert.deepEqual(await periods(later(start, 2 * HOUR + 9 * MINUTE)), [[60, 60]])
  assert.deepEqual(await periods(later(start, 2 * HOUR + 25 * MINUTE)), [
    [60, 40],
    [600, 2],
  ])
  const found = await kept(app.id)
  assert.deepEqual([requestsIn(found), found.serviceLongest], [60, 59])
  assert.deepEqual(await periods(later(start, 26 * HOUR)), [[3600, 1]])
  assert.deepEqual(await kept(app.id), found)
  assert.deepEqual(await periods(later(start, 73 * HOUR)), [])
})
