import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'

import { anApp, type AnApp } from '../../test/an-app.ts'
import { addWaitingDyno } from '../../test/a-waiting-dyno.ts'
import { aDatabase } from '../../test/postgres.ts'
import { GiB } from '../lib/bytes.ts'
import { type Clock, later } from '../lib/clock.ts'
import type { DynoId } from '../model/ids.ts'
import { HEROKU_SIZES } from '../model/size.ts'
import type { Capacity } from '../runtime/runtime.ts'
import { placer, type PlacerOptions } from './place-dynos.ts'

/** A quarter of it is kept back: six dynos of half a gigabyte, one of them kept free for a successor. */
const MEMORY = 4 * GiB
const started = new Date('2026-01-01T00:00:00Z')
const { signal } = new AbortController()

const pool = aDatabase()
let own: AnApp
let now = started
let made = 0

beforeEach(async () => {
  await pool.query('update dynos set state = $1', ['down'])
  await pool.query('update builds set status = $1, step = null, address = null', [
    'failed',
  ])
  now = later(now, 3_600_000)
  own = await anApp(pool)
  await own.deploy()
  await pool.query('delete from work')
})

test('what finds no room waits, and says so once', async () => {
  const ids = await dynos(7)
  const { place } = aPlacer()
  const placed = await place(ids, signal)
  assert.deepEqual([...placed.keys()].toSorted(), ids.slice(0, 5).toSorted())
  await place(ids, signal)

  const waiting = await pool.query<{ id: DynoId }>(
    `select id from dynos where waiting_for = 'capacity' order by created_at`,
  )
  assert.deepEqual(
    waiting.rows.map((row) => row.id),
    ids.slice(5),
  )
  const told = (await own.told()).filter((line) => line.includes('Waiting for capacity'))
  assert.equal(told.length, 2)
  const events = await pool.query<{ dyno: string }>(
    `select dyno from events where kind = 'dyno.waiting' and app = $1`,
    [own.app.id],
  )
  assert.deepEqual(events.rows.map((row) => row.dyno).toSorted(), ids.slice(5).toSorted())
})

test('when a dyno goes down the one that waits longest is placed, and looked at', async () => {
  const ids = await dynos(7)
  const { place } = aPlacer()
  await place(ids, signal)
  await place([], signal)
  assert.equal(await woken(), 0)

  await pool.query(`update dynos set state = 'down', updated_at = $2 where id = $1`, [
    ids[0],
    now,
  ])
  await place([], signal)
  assert.equal(await woken(), 1)
  const { rows } = await pool.query<{ id: string; waiting: boolean }>(
    `select id, waiting_for is not null as waiting from dynos where id = any($1)
      order by created_at`,
    [ids.slice(5)],
  )
  assert.deepEqual(rows, [
    { id: ids[5], waiting: false },
    { id: ids[6], waiting: true },
  ])
})

test('a place that has just lost its dyno gets its room back before others', async () => {
  const ids = await dynos(6)
  const { place } = aPlacer()
  await place(ids, signal)
  await pool.query(`update dynos set state = 'down', updated_at = $2 where id = $1`, [
    ids[0],
    now,
  ])
  const [successor] = await dynos(1, { ordinal: 1 })
  assert.ok(successor)
  assert.deepEqual([...(await place([successor], signal)).keys()], [successor])
})

test('a place that never had its dyno has no claim', async () => {
  const ids = await dynos(6)
  const { place } = aPlacer()
  await place(ids, signal)
  await pool.query(`update dynos set state = 'down', updated_at = $2 where id = $1`, [
    ids[5],
    now,
  ])
  const [successor] = await dynos(1, { ordinal: 6 })
  assert.ok(successor)
  assert.equal((await place([successor], signal)).size, 0)
})

test('on a full machine a dyno that leaves is still succeeded', async () => {
  const ids = await dynos(6)
  const { place } = aPlacer()
  assert.equal((await place(ids, signal)).size, 5)
  await pool.query('update dynos set leaving = true where id = $1', [ids[0]])
  const [successor] = await dynos(1, { ordinal: 1 })
  assert.ok(successor)
  assert.deepEqual([...(await place([successor], signal)).keys()], [successor])
})

test('managers of two regions never promise more than there is', async () => {
  const ids = await dynos(20)
  const [us, eu] = [aPlacer(), aPlacer()]
  await Promise.all(ids.map((id, at) => (at % 2 ? us : eu).place([id], signal)))
  const { rows } = await pool.query<{ placed: number }>(
    `select count(*)::integer as placed from dynos
      where state = 'starting' and placed_at is not null`,
  )
  assert.equal(rows[0]?.placed, 5)
})

test('a build counts, waits, and is let through where it could never fit', async () => {
  const ids = await dynos(3)
  const { place, placeBuild } = aPlacer()
  assert.equal((await place(ids, signal)).size, 3)
  assert.equal(await placeBuild(async () => true, signal), false)
  await pool.query(`update dynos set state = 'down' where id = $1`, [ids[0]])
  assert.equal(await placeBuild(aBuildCompiles, signal), true)
  assert.equal((await place(await dynos(1), signal)).size, 0)

  const tiny = aPlacer({ runtime: aMachine({ memory: GiB }) })
  assert.equal(await tiny.placeBuild(async () => true, signal), true)
})

test('the disk is promised once, too', async () => {
  const ids = await dynos(5)
  const machine = aMachine({ memory: 16 * GiB, disk: 7 * GiB, diskOfDyno: 2 * GiB })
  const { place, placeBuild } = aPlacer({ runtime: machine })
  assert.deepEqual(
    [...(await place(ids, signal)).keys()].toSorted(),
    ids.slice(0, 2).toSorted(),
  )
  const told = (await own.told()).filter((line) => line.includes('Waiting for capacity'))
  assert.equal(told.length, 3)
  assert.match(told[0] ?? '', /this machine's disk has no room for a Standard-1X dyno/)
  // A build that does not fit is not let through, as one for whose memory the machine is too small.
  assert.equal(await placeBuild(async () => true, signal), false)
  const few = aPlacer({ runtime: machine, factor: () => ({ memory: 1, disk: 2 }) })
  assert.deepEqual(
    [...(await few.place(ids, signal)).keys()].toSorted(),
    ids.slice(0, 5).toSorted(),
  )
  assert.equal(await few.placeBuild(async () => true, signal), true)
})

test('where there is no end of anything, whoever asks is placed', async () => {
  const ids = await dynos(3)
  const endless = aPlacer({ runtime: aMachine({ memory: Infinity }) })
  const placed = await endless.place(ids.slice(1), signal)
  assert.deepEqual([...placed.keys()].toSorted(), ids.slice(1).toSorted())
  assert.equal(new Set(placed.values()).size, 2)
  assert.deepEqual(await endless.place(ids.slice(1), signal), placed)
  assert.equal((await endless.place([], signal)).size, 0)
})

function aPlacer(but: Partial<PlacerOptions> = {}) {
  const clock: Clock = { now: () => now }
  return placer({
    pool,
    runtime: aMachine(),
    clock,
    machine: { name: 'abc123', regions: ['us'] },
    sizes: () => HEROKU_SIZES,
    factor: () => ({ memory: 1, disk: 1 }),
    build: { memory: 2 * GiB, disk: 4 * GiB },
    ...but,
  })
}

function aMachine(but: Partial<Capacity> = {}): PlacerOptions['runtime'] {
  const has = { memory: MEMORY, disk: Infinity, diskOfDyno: 0, ...but }
  return { capacity: async () => has }
}

async function dynos(count: number, { ordinal }: { ordinal?: number } = {}) {
  const ids: DynoId[] = []
  for (let nth = 1; nth <= count; nth++) {
    const at = later(now, ++made)
    ids.push(await addWaitingDyno(pool, own, { ordinal: ordinal ?? nth, at }))
  }
  return ids
}

async function aBuildCompiles(): Promise<boolean> {
  await pool.query(
    `insert into builds (id, app, account, status, step, source_url, stack, address)
     select gen_random_uuid(), id, owner, 'pending', 'compile', 'x', stack, '10.9.9.9'
       from apps where id = $1`,
    [own.app.id],
  )
  return true
}

async function woken(): Promise<number> {
  const { rows } = await pool.query(`select from work where kind = 'formation'`)
  return rows.length
}
