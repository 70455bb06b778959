import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'

import { anApp, type AnApp } from '../../test/an-app.ts'
import { addWaitingDyno } from '../../test/a-waiting-dyno.ts'
import { aDatabase } from '../../test/postgres.ts'
import { rowsRead } from '../../test/rows-read.ts'
import { HOUR, later } from '../lib/clock.ts'
import { forgetApp } from './app-remains.ts'
import { lockUnplaced } from './capacity.ts'
import { forgetSurplusDynos } from './dynos.ts'
import { FORGOTTEN_AT_ONCE } from './forgotten-at-once.ts'

const machine = { name: 'here', regions: ['us'] }
const all = { asked: [], sizes: ['Standard-1X'] }
const now = new Date('2026-03-01T00:00:00Z')

const pool = aDatabase()
let own: AnApp

beforeEach(async () => {
  await pool.query(`delete from dynos`)
  own = await anApp(pool)
  await own.deploy()
})

/** The app's dynos of these states, a second apart, the last of them `ago` milliseconds ago. */
async function dynos(
  count: number,
  { state, ago, ordinal = 1 }: { state: string; ago: number; ordinal?: number },
): Promise<void> {
  await pool.query(
    `insert into dynos (id, app, formation, release, region, type, ordinal, size, command,
                        state, address, port, created_at, placed_at, updated_at)
     select gen_random_uuid(), f.app, f.id, a.current_release, a.region, f.type, $6, f.size,
            f.command, $2, '10.0.0.0'::inet + n::integer, 5000, at - interval '5 s',
            case when $2 = 'down' then at - interval '5 s' end, at
       from apps a join formations f on f.app = a.id and f.type = 'web',
            generate_series(1, $3::integer) as n,
            lateral (select $4::timestamptz - make_interval(secs => n - 1 + $5 / 1000.0) as at) as its
      where a.id = $1`,
    [own.app.id, state, count, now, ago, ordinal],
  )
}

test('a dyno is added, and found to wait, without reading all that ended before', async () => {
  const rows = async () => {
    await pool.query(`delete from dynos where state = 'starting'`)
    return rowsRead(pool, async (db) => {
      await addWaitingDyno(pool, own, { ordinal: 1, at: now, db })
      await lockUnplaced(db, machine, all)
    })
  }
  const few = await rows()
  await dynos(20_000, { state: 'down', ago: HOUR })
  await pool.query('vacuum analyze dynos')
  const many = await rows()
  assert.ok(many <= few + 5, `${many} rows were read, not ${few}`)
})

test('who takes the place of one that leaves, or has just ended, carries on', async () => {
  await dynos(1, { state: 'down', ago: 2 * HOUR, ordinal: 2 })
  await dynos(1, { state: 'down', ago: 10_000, ordinal: 3 })
  await dynos(1, { state: 'stopping', ago: 0, ordinal: 4 })
  await pool.query(
    `update dynos set leaving = true, placed_at = created_at where state = 'stopping'`,
  )
  for (const ordinal of [1, 2, 3, 4])
    await addWaitingDyno(pool, own, { ordinal, at: now })
  const waiting = await lockUnplaced(pool, machine, all)
  assert.deepEqual(
    waiting.map((it) => [it.ordinal, it.carriesOn]),
    [
      [3, true],
      [4, true],
      [1, false],
      [2, false],
    ],
  )
})

test('of an app the last ended dynos are kept, and those that ended lately', async () => {
  const kept = async () => {
    const { rows } = await pool.query<{ count: number }>(
      `select count(*)::integer from dynos where app = $1 and state = 'down'`,
      [own.app.id],
    )
    return rows[0]?.count
  }
  await dynos(30, { state: 'down', ago: 0 })
  await dynos(1, { state: 'up', ago: 24 * HOUR })
  const forget = (most: number, before: Date) =>
    forgetSurplusDynos(pool, 'us', { kept: most, before })

  await forget(30, now)
  assert.equal(await kept(), 30)
  await forget(10, later(now, -19_500))
  assert.equal(await kept(), 20)
  await forget(10, now)
  assert.equal(await kept(), 10)
  const { rows } = await pool.query<{ oldest: Date }>(
    `select min(updated_at) as oldest from dynos where state = 'down'`,
  )
  assert.deepEqual(rows[0]?.oldest, later(now, -9_000))
})

test('of a destroyed app all rows go, however many there are', async () => {
  await dynos(FORGOTTEN_AT_ONCE + 1, { state: 'down', ago: 0 })
  await pool.query('update apps set deleted_at = now() where id = $1', [own.app.id])
  assert.equal(await forgetApp(pool, own.app.id), false)
  assert.equal(await forgetApp(pool, own.app.id), true)
  const { rows } = await pool.query(
    `select from apps where id = $1 union all select from dynos where app = $1`,
    [own.app.id],
  )
  assert.deepEqual(rows, [])
})
