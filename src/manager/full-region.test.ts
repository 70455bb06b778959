/** A region that has more dynos than addresses: the manager's code, the memory runtime, a real database. */

import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'

import { ask, managerDeps, untilCalm } from '../../test/a-managed-app.ts'
import { anApp, type AnApp, secrets } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { runDyno } from '../actions/run-dyno.ts'
import { GiB } from '../lib/bytes.ts'
import { HOUR, later } from '../lib/clock.ts'
import { NOTHING } from '../model/capacity.ts'
import type { Dyno } from '../model/dyno.ts'
import type { DynoId } from '../model/ids.ts'
import { HEROKU_SIZES } from '../model/size.ts'
import {
  MemoryRuntime,
  type MemoryRuntimeOptions,
} from '../runtime/memory/memory-runtime.ts'
import { takeAddresses } from '../store/addresses.ts'
import { liveDynos } from '../store/dynos.ts'
import { inTransaction } from '../store/queryable.ts'
import { lookAfterFormation } from './look-after-formation.ts'
import { lookAfterOneOff } from './look-after-one-off.ts'
import { placer } from './place-dynos.ts'

/** A /29 has so many for dynos. */
const ADDRESSES = 5

const pool = aDatabase()
const { signal } = new AbortController()
let now = new Date('2026-01-01T00:00:00Z')
const clock = { now: () => now }

beforeEach(async () => {
  await pool.query(`update dynos set state = 'down'`)
  await anApp(pool)
  await pool.query(`update regions set subnet = '172.20.0.0/29' where name = 'us'`)
})

test('dynos that wait for room hold no address, so others get theirs', async () => {
  // Room for three, of half a gigabyte each: a quarter of a small machine is kept back.
  const world = aWorld({ memory: 2 * GiB })
  const own = await anAppOf(20)
  const dynos = await world.settle(own)
  assert.equal(dynos.length, 20)
  assert.equal(dynos.filter((it) => it.state === 'up').length, 3)
  assert.ok(dynos.every((it) => (it.address !== null) === (it.state === 'up')))
  assert.equal(await free(), ADDRESSES - 3)
  assert.ok(await run(await anAppOf(1)))
})

test('where addresses are lacking, dynos wait for them, and all else goes on', async () => {
  const world = aWorld()
  const own = await anAppOf(ADDRESSES + 2)
  const dynos = await world.settle(own)
  assert.equal(dynos.filter((it) => it.state === 'up').length, ADDRESSES)
  assert.deepEqual(
    (await own.told()).filter((line) => line.includes('Waiting')),
    ['worker.6', 'worker.7'].map(
      (place) =>
        `${place} Waiting for capacity: region us has no free address at the moment`,
    ),
  )

  // However long it takes, they do not fail.
  now = later(now, HOUR)
  await own.ask('quantity = 4')
  const left = await world.settle(own)
  assert.deepEqual(
    left.map(({ id }) => id),
    dynos.slice(0, 4).map(({ id }) => id),
  )
  await own.ask('quantity = 5')
  assert.ok((await world.settle(own)).every((it) => it.state === 'up'))
})

test('a crashed dyno that waits for its time holds no address', async () => {
  const world = aWorld({ boot: () => ({ exits: 1 }) })
  const own = await anAppOf(2)
  const dynos = await world.settle(own)
  assert.ok(dynos.every((it) => it.state === 'crashed' && it.address === null))
  assert.equal(await free(), ADDRESSES)
  const before = dynos[0]?.crashes ?? 0
  now = later(now, HOUR)
  const crashed = await world.settle(own)
  assert.ok(crashed.every((it) => it.crashes > before && it.address === null))
})

test('nor does one that sleeps', async () => {
  const world = aWorld()
  const own = await anAppOf(2)
  await world.settle(own)
  await pool.query('update apps set idle_since = now() where id = $1', [own.app.id])
  const dynos = await world.settle(own)
  assert.ok(dynos.every((it) => it.state === 'idle' && it.address === null))
  await pool.query('update apps set idle_since = null where id = $1', [own.app.id])
  assert.ok((await world.settle(own)).every((it) => it.state === 'up'))
})

test('a one-off gets its address with its room', async () => {
  const world = aWorld()
  const own = await anAppOf(ADDRESSES)
  await world.settle(own)
  const id = await run(own)
  await world.lookAtOneOff(id)
  assert.deepEqual(await rowOf(id), { address: null, waiting_for: 'capacity' })

  await own.ask('quantity = 1')
  await world.settle(own)
  await world.lookAtOneOff(id)
  const { address, waiting_for } = await rowOf(id)
  assert.equal(waiting_for, null)
  assert.equal(world.runtime.spec(id)?.address, address)
})

interface Own extends AnApp {
  ask(change: string): Promise<void>
}

async function anAppOf(workers: number): Promise<Own> {
  const it = await anApp(pool)
  await it.deploy({ worker: 'node work.js' })
  const own = { ...it, ask: (change: string) => ask(pool, it, change) }
  await own.ask(`quantity = ${workers}`)
  return own
}

/** A region's manager, and a machine of 16 GiB. */
function aWorld(options: MemoryRuntimeOptions = {}) {
  const runtime = new MemoryRuntime(clock, { memory: 16 * GiB, ...options })
  const { place } = placer({
    pool,
    runtime,
    clock,
    machine: { name: 'abc123', regions: ['us'] },
    sizes: () => HEROKU_SIZES,
    factor: () => ({ memory: 1, disk: 1 }),
    build: NOTHING,
  })
  const deps = { ...managerDeps(pool, runtime, clock), place }
  const look = lookAfterFormation(deps)
  const lookAtOneOff = lookAfterOneOff({ ...deps, ahead: () => 0 })
  return {
    runtime,
    settle: async (own: AnApp): Promise<Dyno[]> => {
      const formation = await own.formation('worker')
      await untilCalm(() => look(formation, signal))
      return liveDynos(pool, formation)
    },
    lookAtOneOff: (id: DynoId) => untilCalm(() => lookAtOneOff(id, signal)),
  }
}

async function run({ app, account }: AnApp): Promise<DynoId> {
  const wish = {
    app: app.id,
    account,
    command: 'rake db',
    attach: undefined,
    environment: {},
    size: undefined,
    type: undefined,
    timeToLive: undefined,
  }
  const { dyno } = await inTransaction(pool, (tx) => runDyno(tx, wish, { secrets }))
  return dyno.id
}

async function rowOf(id: DynoId) {
  const { rows } = await pool.query<{
    address: string | null
    waiting_for: string | null
  }>('select host(address) as address, waiting_for from dynos where id = $1', [id])
  const [row] = rows
  assert.ok(row)
  return row
}

/** How many addresses nobody holds. */
async function free(): Promise<number> {
  const addresses = await inTransaction(pool, (tx) => takeAddresses(tx, 'us', 100))
  return addresses.length
}
