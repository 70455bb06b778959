/** Dynos that wait for room, of an account that has very many. */

import assert from 'node:assert/strict'
import { before, suite, test } from 'node:test'

import { anApp, type AnApp } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { rowsRead } from '../../test/rows-read.ts'
import type { DynoId } from '../model/ids.ts'
import type { Size } from '../model/size.ts'
import { lockUnplaced, promisedOf } from './capacity.ts'

const MOST = 1000
const machine = { name: 'here', regions: ['us'] }

const pool = aDatabase()
const unplaced = (asked: readonly DynoId[], sizes = ['Standard-1X']) =>
  lockUnplaced(pool, machine, { asked, sizes })

// The database comes first: hooks of one level don't wait for one another.
suite('dynos that wait', () => {
  let own: AnApp
  let latest: DynoId
  before(async () => {
    own = await anApp(pool)
    await own.deploy()
    await waiting({ size: 'Performance-L', count: MOST + 1, since: 3 })
    await waiting({ size: 'Standard-1X', count: MOST + 100, since: 2 })
    const [last] = await waiting({ size: 'Standard-1X', count: 1, since: 1 })
    assert.ok(last)
    latest = last
    await pool.query('vacuum analyze dynos')
  })

  test('those that wait longest are looked at, of sizes that may find room', async () => {
    const found = await unplaced([])
    assert.equal(found.length, MOST)
    assert.ok(found.every(({ size }) => size === 'Standard-1X'))
    assert.ok(!found.some(({ id }) => id === latest))
  })

  test('and those asked for, after them', async () => {
    const found = await unplaced([latest])
    assert.equal(found.length, MOST + 1)
    assert.equal(found.at(-1)?.id, latest)
    assert.deepEqual(
      (await unplaced([latest], [])).map(({ id }) => id),
      [latest],
    )
  })

  test('one that carries on is before all of them, however young', async () => {
    const [successor] = await waiting({ size: 'Standard-1X', count: 1, since: 0 })
    assert.ok(successor)
    await pool.query('update dynos set carries_on = true where id = $1', [successor])
    const [first] = await unplaced([])
    assert.deepEqual([first?.id, first?.carriesOn], [successor, true])
  })

  test('of the others none is read', async () => {
    const sizes = [{ name: 'Standard-1X' }, { name: 'Performance-L' }] as Size[]
    const build = { memory: 0, disk: 0 }
    const rows = () =>
      rowsRead(pool, async (db) => {
        // It misses the row that it would have.
        await assert.rejects(promisedOf(db, machine, { sizes, diskOfDyno: 0, build }))
        await lockUnplaced(db, machine, { asked: [], sizes: ['Standard-1X'] })
      })
    await waiting({ size: 'Standard-1X', count: 20_000, since: 1 })
    await waiting({ size: 'Performance-L', count: 20_000, since: 4 })
    await pool.query('vacuum analyze dynos')
    // Each of those that are looked at, once to find it and once for the whole of it.
    assert.equal(await rows(), 2 * MOST)
  })

  let ordinal = 0
  /** `since`: hours. */
  async function waiting({
    size,
    count,
    since,
  }: {
    readonly size: string
    readonly count: number
    readonly since: number
  }): Promise<DynoId[]> {
    const { rows } = await pool.query<{ id: DynoId }>(
      `insert into dynos (id, app, formation, release, region, type, ordinal, size, command,
                          port, created_at, updated_at)
       select gen_random_uuid(), apps.id, $2, current_release, 'us', 'web', $3 + nth, $4, 'x',
              5000, now() - make_interval(hours => $6), now()
         from apps, generate_series(1, $5::integer) as nth
        where apps.id = $1
       returning id`,
      [own.app.id, await own.formation('web'), ordinal, size, count, since],
    )
    ordinal += count
    return rows.map(({ id }) => id)
  }
})
