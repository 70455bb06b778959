/** What is to follow after some time follows, though the clock is set back meanwhile. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aDyno, aFormation, aPolicy, bootedAt } from '../../test/a-dyno.ts'
import { managerDeps, untilCalm } from '../../test/a-managed-app.ts'
import { v2 } from '../../test/a-plan.ts'
import { anApp, secrets } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { runDyno } from '../actions/run-dyno.ts'
import { stopDynos } from '../actions/stop-dynos.ts'
import { HOUR, later, MINUTE, SECOND } from '../lib/clock.ts'
import type { Dyno } from '../model/dyno.ts'
import {
  MemoryRuntime,
  type MemoryRuntimeOptions,
} from '../runtime/memory/memory-runtime.ts'
import { RuntimeError } from '../runtime/runtime.ts'
import { liveDynos } from '../store/dynos.ts'
import { inTransaction } from '../store/queryable.ts'
import { lookAfterFormation } from './look-after-formation.ts'
import { lookAfterOneOff } from './look-after-one-off.ts'
import { heldUntil } from './preboot.ts'

const pool = aDatabase()
const { signal } = new AbortController()

/** One app, whose manager looks as often as it likes, by a clock that goes only as it is told. */
async function aWorld(options: MemoryRuntimeOptions = {}) {
  let now = new Date()
  const clock = { now: () => now }
  const runtime = new MemoryRuntime(clock, options)
  const deps = managerDeps(pool, runtime, clock)
  const lookAtFormation = lookAfterFormation(deps)
  const lookAtOneOff = lookAfterOneOff({ ...deps, ahead: () => 0 })
  const own = await anApp(pool)

  return {
    own,
    runtime,
    /** Its web dyno, once there is nothing to do. No router knows of any. */
    web: async (): Promise<Dyno | undefined> => {
      const id = await own.formation('web')
      await untilCalm(() => lookAtFormation(id, signal))
      return (await liveDynos(pool, id))[0]
    },
    settleOneOff: (id: Dyno['id']) => untilCalm(() => lookAtOneOff(id, signal)),
    pass: (milliseconds: number): void => {
      now = later(now, milliseconds)
    },
  }
}

test('who does not heed SIGTERM gets SIGKILL', async () => {
  const { own, web, pass } = await aWorld({ heedsSigterm: () => false })
  await own.deploy()
  await web()
  await pool.query('update formations set quantity = 0 where app = $1', [own.app.id])
  assert.equal((await web())?.state, 'stopping')
  pass(-HOUR)
  assert.equal((await web())?.killedAt, null)
  pass(30 * SECOND)
  assert.equal(await web(), undefined)
})

test('a crashed dyno is started again', async () => {
  const { own, web, pass } = await aWorld({ boot: () => ({ exits: 1 }) })
  await own.deploy()
  const crashed = await web()
  assert.deepEqual([crashed?.state, crashed?.crashes], ['crashed', 2])
  pass(-HOUR)
  assert.equal((await web())?.crashes, 2)
  pass(12 * SECOND)
  assert.equal((await web())?.crashes, 3)
})

test('a web dyno that does not listen is given up', async () => {
  const { own, web, pass } = await aWorld({ boot: () => 'waits' })
  await own.deploy()
  await web()
  pass(-HOUR)
  assert.equal((await web())?.crashes, 0)
  pass(MINUTE)
  assert.equal((await web())?.crashes, 1)
})

test('a dyno that cannot be started is given up', async () => {
  const { own, web, pass, runtime } = await aWorld()
  const refused = new RuntimeError('failed', 'the machine is busy')
  runtime.start = () => Promise.reject(refused)
  await own.deploy()
  await assert.rejects(web())
  pass(-HOUR)
  await assert.rejects(web())
  pass(2 * MINUTE)
  await assert.rejects(web())
  const told = (await own.told()).filter((line) => line.includes('Failed to launch'))
  assert.equal(told.length, 1)
})

test('a one-off that does not heed SIGTERM gets SIGKILL', async () => {
  const { own, settleOneOff, pass } = await aWorld({ heedsSigterm: () => false })
  await own.deploy()
  const { app, account } = own
  const wish = { app: app.id, account, command: 'x', attach: undefined, environment: {} }
  const usual = { size: undefined, type: undefined, timeToLive: undefined }
  const { dyno } = await inTransaction(pool, (tx) =>
    runDyno(tx, { ...wish, ...usual }, { secrets }),
  )
  await settleOneOff(dyno.id)
  await inTransaction(pool, (tx) => stopDynos(tx, app, { dyno: dyno.id }, account))
  await settleOneOff(dyno.id)
  pass(-HOUR)
  await settleOneOff(dyno.id)
  const state = async () => {
    const { rows } = await pool.query<{ state: string }>(
      'select state from dynos where id = $1',
      [dyno.id],
    )
    return rows[0]?.state
  }
  assert.equal(await state(), 'stopping')
  pass(30 * SECOND)
  await settleOneOff(dyno.id)
  assert.equal(await state(), 'down')
})

test('the switch to a release is not put off', () => {
  const now = later(bootedAt, MINUTE)
  const leaving = aDyno({ leaving: true, stopReason: 'release' })
  const successor = aDyno({ state: 'starting', release: v2, createdAt: now })
  const facts = {
    formation: aFormation({ releasedAt: later(now, HOUR) }),
    policy: aPolicy({ preboot: { switch: 3 * MINUTE, overlap: 5 * MINUTE } }),
    dynos: [leaving, successor],
    statuses: new Map(),
    health: new Map(),
    since: bootedAt,
    now,
  }
  assert.deepEqual(heldUntil(successor, facts), later(now, 3 * MINUTE))
})
