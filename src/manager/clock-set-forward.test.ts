/** A clock that is set forward, as by a late first answer of NTP, ends nothing before its time. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { ask, managerDeps, untilCalm } from '../../test/a-managed-app.ts'
import { healthCheck, sick } from '../../test/a-plan.ts'
import { anApp, type AnApp, secrets } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { runDyno } from '../actions/run-dyno.ts'
import { DAY, HOUR, later, MINUTE, SECOND } from '../lib/clock.ts'
import { jumpsOf } from '../lib/clock-jumps.ts'
import type { Dyno } from '../model/dyno.ts'
import type { DynoId } from '../model/ids.ts'
import {
  MemoryRuntime,
  type MemoryRuntimeOptions,
} from '../runtime/memory/memory-runtime.ts'
import { dynosOf } from '../store/app-dynos.ts'
import { liveDynos } from '../store/dynos.ts'
import { inTransaction } from '../store/queryable.ts'
import type { Health } from './facts.ts'
import { lookAfterFormation } from './look-after-formation.ts'
import { lookAfterOneOff } from './look-after-one-off.ts'

const pool = aDatabase()
const { signal } = new AbortController()

function aWorld(options: MemoryRuntimeOptions = {}) {
  let now = new Date()
  let timed = 0
  const clock = { now: () => now }
  const jumps = jumpsOf(clock, { now: () => timed, after: () => () => {} })
  const runtime = new MemoryRuntime(clock, options)
  const health = new Map<DynoId, Health>()
  const deps = { ...managerDeps(pool, runtime, clock), health: () => health, jumps }
  const look = lookAfterFormation(deps)
  const lookAtOneOff = lookAfterOneOff({ ...deps, ahead: () => 0 })
  return {
    health,
    lookOnce: async (it: AnApp) => look(await it.formation('web'), signal),
    pass: (milliseconds: number) => {
      timed += milliseconds
      now = later(now, milliseconds)
    },
    setForward: (milliseconds: number) => (now = later(now, milliseconds)),
    settle: async (it: AnApp, type: string): Promise<Dyno[]> => {
      const formation = await it.formation(type)
      await untilCalm(() => look(formation, signal))
      return liveDynos(pool, formation)
    },
    settleOneOffs: async ({ app }: AnApp) => {
      for (const { id } of (await dynosOf(pool, app.id)).filter((it) => it.isOneOff)) {
        await untilCalm(() => lookAtOneOff(id, signal))
      }
      return (await dynosOf(pool, app.id)).filter((it) => it.isOneOff)
    },
  }
}

test('SIGKILL follows SIGTERM no sooner', async () => {
  const { pass, setForward, settle } = aWorld({ heedsSigterm: () => false })
  const it = await anApp(pool)
  await it.deploy({ worker: 'node work.js' })
  await ask(pool, it, 'quantity = 1')
  await settle(it, 'worker')
  await ask(pool, it, 'quantity = 0')
  await settle(it, 'worker')
  pass(3 * SECOND)
  setForward(2 * HOUR)
  const [stopping] = await settle(it, 'worker')
  assert.deepEqual([stopping?.state, stopping?.killedAt], ['stopping', null])
  pass(31 * SECOND)
  assert.deepEqual(await settle(it, 'worker'), [])
  assert.ok((await it.told()).some((line) => line.includes('R12')))
})

test('a web dyno has its time to bind its port', async () => {
  const { pass, setForward, settle } = aWorld({ boot: () => 'waits' })
  const it = await anApp(pool)
  await it.deploy({ web: 'node index.js' })
  await settle(it, 'web')
  pass(10 * SECOND)
  setForward(2 * HOUR)
  assert.equal((await settle(it, 'web'))[0]?.state, 'starting')
  pass(61 * SECOND)
  await settle(it, 'web')
  const told = (await it.told()).filter((line) => line.includes('R10'))
  assert.equal(told.length, 1)
})

test('a dyno has its time to be started, however long its manager has looked', async () => {
  const { pass, setForward, lookOnce, settle } = aWorld()
  pass(HOUR)
  const it = await anApp(pool)
  await it.deploy()
  await lookOnce(it) // its row
  pass(10 * SECOND)
  setForward(3 * MINUTE)
  const [dyno] = await settle(it, 'web')
  assert.deepEqual([dyno?.state, dyno?.crashes], ['up', 0])
})

test('a web dyno that never was well is given up in its time', async () => {
  const { health, pass, setForward, settle } = aWorld()
  const it = await anApp(pool)
  await it.deploy()
  await pool.query('update slugs set healthchecks = $2 where app = $1', [
    it.app.id,
    { web: healthCheck },
  ])
  const [dyno] = await settle(it, 'web')
  assert.ok(dyno?.state === 'starting')
  health.set(dyno.id, { ...sick, failures: 1 })
  pass(10 * SECOND)
  setForward(2 * HOUR)
  assert.equal((await settle(it, 'web'))[0]?.id, dyno.id)
  pass(61 * SECOND)
  await settle(it, 'web')
  assert.ok((await it.told()).some((line) => line.includes('for 60 seconds after')))
})

test('nothing is cycled at once', async () => {
  const { pass, setForward, settle } = aWorld()
  const it = await anApp(pool)
  await it.deploy({ web: 'node index.js' })
  const [up] = await settle(it, 'web')
  assert.equal(up?.state, 'up')
  pass(MINUTE)
  setForward(3 * DAY)
  assert.deepEqual(
    (await settle(it, 'web')).map((dyno) => [dyno.id, dyno.leaving]),
    [[up.id, false]],
  )
  pass(2 * DAY)
  assert.ok((await settle(it, 'web')).some((dyno) => dyno.leaving))
})

test('a one-off has its time to live', async () => {
  const { pass, setForward, settleOneOffs } = aWorld()
  const it = await anApp(pool)
  await it.deploy()
  const wish = {
    app: it.app.id,
    account: it.account,
    command: 'rake db',
    attach: undefined,
    environment: {},
    size: undefined,
    type: undefined,
    timeToLive: HOUR / SECOND,
  }
  await inTransaction(pool, (tx) => runDyno(tx, wish, { secrets }))
  await settleOneOffs(it)
  pass(MINUTE)
  setForward(2 * HOUR)
  assert.equal((await settleOneOffs(it))[0]?.state, 'up')
  pass(HOUR)
  await settleOneOffs(it)
  assert.deepEqual(await settleOneOffs(it), [])
})
