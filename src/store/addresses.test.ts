import assert from 'node:assert/strict'
import { beforeEach, suite, test } from 'node:test'

import { anApp, type AnApp } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { takeAddresses } from './addresses.ts'
import { inTransaction, type Queryable } from './queryable.ts'

const pool = aDatabase()

suite('addresses', () => {
  let app: AnApp
  beforeEach(async () => {
    app = await anApp(pool)
    await app.deploy()
    await pool.query(`update dynos set state = 'down'`)
    await subnet('172.20.0.0/29')
  })

  /** A /29 has eight addresses: the network's, the gateway's, five for dynos, the broadcast's. */
  test('they go round the subnet, past those that are held', async () => {
    const first = await take(1)
    const rest = await take(4)
    assert.equal(new Set([...first, ...rest]).size, 5)
    for (const address of [...first, ...rest])
      assert.match(address, /^172\.20\.0\.[2-6]$/)

    await hold(first)
    assert.deepEqual(await take(4), rest)
    assert.deepEqual(await take(2), rest.slice(0, 2))
  })

  test('of a subnet that is nearly full there are those that are free, and no more', async () => {
    await hold(await take(3))
    assert.equal((await take(4)).length, 2)
    await hold(await take(2))
    assert.deepEqual(await take(1), [])
  })

  test('the only free one is found, however many are held', async () => {
    await subnet('172.20.0.0/18')
    const all = await take(20_000)
    assert.equal(all.length, 16_381)
    const [free] = all.splice(12_345, 1)
    await hold(all)
    assert.deepEqual(await take(2), [free])
    // What is not taken is found by the next.
    assert.deepEqual(await take(1), [free])
  })

  test('two that take at once get different ones, even the last', async () => {
    await hold(await take(3))
    const given = await Promise.all(
      [1, 2, 3].map(() =>
        inTransaction(pool, async (tx) => {
          const addresses = await takeAddresses(tx, 'us', 1)
          await hold(addresses, tx)
          return addresses
        }),
      ),
    )
    assert.equal(new Set(given.flat()).size, 2)
    assert.equal(given.flat().length, 2)
  })

  test('a build under way holds its own', async () => {
    const all = await take(5)
    await pool.query(
      `insert into builds (id, app, account, source_url, stack, address)
       select gen_random_uuid(), id, owner, 'x', stack, $2
         from apps where id = $1`,
      [app.app.id, all[2]],
    )
    assert.deepEqual(await take(5), all.toSpliced(2, 1))
    await pool.query(`update builds set status = 'failed', step = null, address = null`)
  })

  let ordinal = 0
  async function hold(addresses: readonly string[], db: Queryable = pool): Promise<void> {
    await db.query(
      `insert into dynos (id, app, formation, release, region, type, ordinal, size, command,
                          address, port, placed_at, created_at, updated_at)
       select gen_random_uuid(), apps.id, $2, current_release, 'us', 'web', $4 + nth,
              'Standard-1X', 'x', address, 30000, now(), now(), now()
         from apps, unnest($3::inet[]) with ordinality as its (address, nth)
        where apps.id = $1`,
      [app.app.id, await app.formation('web'), addresses, ordinal],
    )
    ordinal += addresses.length
  }
})

function take(count: number): Promise<string[]> {
  return inTransaction(pool, (tx) => takeAddresses(tx, 'us', count))
}

async function subnet(is: string): Promise<void> {
  await pool.query(`update regions set subnet = $1 where name = 'us'`, [is])
}
