import assert from 'node:assert/strict'
import { before, suite, test } from 'node:test'

import { anApp } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { newId } from '../model/ids.ts'
import { allocateAddress, allocateAddresses } from './addresses.ts'
import { addDynos } from './dynos.ts'

const pool = aDatabase()

suite('addresses', () => {
  let app: Awaited<ReturnType<typeof anApp>>
  before(async () => {
    app = await anApp(pool)
    await app.deploy()
    await pool.query(`update regions set subnet = '172.20.0.0/29' where name = 'us'`)
  })

  /** A /29 has eight addresses: the network's, the gateway's, five for dynos, the broadcast's. */
  test('they go round the subnet, past those that are held', async () => {
    const first = await allocateAddress(pool, 'us')
    const rest = await allocateAddresses(pool, 'us', 4)
    assert.equal(new Set([first, ...rest]).size, 5)
    for (const address of [first, ...rest]) assert.match(address, /^172\.20\.0\.[2-6]$/)

    await hold(first)
    const again = await allocateAddresses(pool, 'us', 4)
    assert.deepEqual(again.toSorted(), rest.toSorted())
  })

  test('a full subnet has none, and says so', async () => {
    for (const address of await allocateAddresses(pool, 'us', 4)) await hold(address)
    await assert.rejects(allocateAddress(pool, 'us'), /no free address in region us/)
  })

  let ordinal = 0
  async function hold(address: string): Promise<void> {
    const { rows } = await pool.query<{ release: string }>(
      'select current_release as release from apps where id = $1',
      [app.app.id],
    )
    await addDynos(pool, [
      {
        id: newId(),
        app: app.app.id,
        formation: await app.formation('web'),
        release: (rows[0]?.release ?? '') as ReturnType<typeof newId<'release'>>,
        region: 'us',
        type: 'web',
        ordinal: ++ordinal,
        size: 'Standard-1X',
        command: 'node index.js',
        address,
        port: 30_000,
        crashes: 0,
        createdAt: new Date(),
      },
    ])
  }
})
