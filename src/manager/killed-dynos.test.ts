/** Dynos that were killed and are not gone yet, as while the disk is slow. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { ask, aManagedApp, managerDeps, SOON } from '../../test/a-managed-app.ts'
import { anApp, secrets } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { runDyno } from '../actions/run-dyno.ts'
import { stopDynos } from '../actions/stop-dynos.ts'
import { later, SECOND, systemClock } from '../lib/clock.ts'
import { MemoryRuntime } from '../runtime/memory/memory-runtime.ts'
import { inTransaction } from '../store/queryable.ts'
import { lookAfterOneOff } from './look-after-one-off.ts'

const pool = aDatabase()
const { signal } = new AbortController()
const stubborn = { heedsSigterm: () => false }

function slowToKill(runtime: MemoryRuntime): { kills: number } {
  const seen = { kills: 0 }
  runtime.kill = async () => {
    seen.kills++
  }
  return seen
}

test('a killed dyno is not looked at without pause until it is gone', async () => {
  const { it, runtime, settle, wait, lookOnce } = await aManagedApp(pool, stubborn)
  await it.deploy()
  await settle()
  const seen = slowToKill(runtime)
  await ask(pool, it, 'quantity = 0')
  await settle()
  wait(30 * SECOND)
  assert.equal(await lookOnce(), 0, 'that it is killed is noted')
  assert.equal(seen.kills, 0)
  for (const kills of [1, 2]) {
    wait(1)
    assert.equal(await lookOnce(), SOON)
    assert.equal(seen.kills, kills)
  }
})

test('nor is a one-off', async () => {
  let now = systemClock.now()
  const clock = { now: () => now }
  const runtime = new MemoryRuntime(clock, stubborn)
  const seen = slowToKill(runtime)
  const deps = managerDeps(pool, runtime, clock)
  const look = lookAfterOneOff({ ...deps, ahead: () => 0 })
  const own = await anApp(pool)
  await own.deploy()
  const { app, account } = own
  const wish = { app: app.id, account, command: 'x', attach: undefined, environment: {} }
  const usual = { size: undefined, type: undefined, timeToLive: undefined }
  const { dyno } = await inTransaction(pool, (tx) =>
    runDyno(tx, { ...wish, ...usual }, { secrets }),
  )
  const settle = async () => {
    while ((await look(dyno.id, signal)) === 0);
  }
  await settle()
  await inTransaction(pool, (tx) => stopDynos(tx, app, { dyno: dyno.id }, account))
  await settle()
  now = later(now, 30 * SECOND)
  assert.equal(await look(dyno.id, signal), 0, 'that it is killed is noted')
  for (const kills of [1, 2]) {
    now = later(now, 1)
    assert.equal(await look(dyno.id, signal), SOON)
    assert.equal(seen.kills, kills)
  }
})
