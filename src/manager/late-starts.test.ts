/** Dynos whose start still waits for its turn when their formation's look ends. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'

import { managerDeps } from '../../test/a-managed-app.ts'
import { anApp } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { systemClock } from '../lib/clock.ts'
import type { DynoId } from '../model/ids.ts'
import { MemoryRuntime } from '../runtime/memory/memory-runtime.ts'
import type { DynoSpec } from '../runtime/runtime.ts'
import { putFeature } from '../store/app-features.ts'
import { liveDynos } from '../store/dynos.ts'
import { lookAfterFormation } from './look-after-formation.ts'

const pool = aDatabase()
const { signal } = new AbortController()
/** More than boot in one look. */
const MANY = 30
const BOOTS = 24
const LATE = 8

/** The first few of those asked for wait until they are let go. */
class LateRuntime extends MemoryRuntime {
  readonly asked = new Set<DynoId>()
  readonly begun = new Set<DynoId>()
  readonly #turn = Promise.withResolvers<void>()

  constructor(late: number) {
    super(systemClock, {
      boot: ({ id }) => (this.begun.add(id), 'listens'),
      turn: async () => {
        if (this.asked.size <= late) await this.#turn.promise
      },
    })
  }

  override async start(dyno: DynoSpec, startSignal: AbortSignal): Promise<void> {
    this.asked.add(dyno.id)
    await super.start(dyno, startSignal)
  }

  letGo = () => this.#turn.resolve()
}

test('one that is not wanted any more before its turn never starts, and is there until it cannot', async () => {
  const runtime = new LateRuntime(LATE)
  const { look, scale, dynos } = await manyWorkers(runtime)
  await look() // the rows
  await look() // the first boots
  const late = [...runtime.asked].slice(0, LATE)
  assert.ok(late.every((id) => !runtime.begun.has(id)))

  await scale(0)
  await look()
  await look()
  const there = new Set((await dynos()).map(({ id }) => id))
  assert.ok(
    late.every((id) => there.has(id)),
    'their addresses are theirs still',
  )
  for (let delay = 0; delay === 0;) delay = await look()
  runtime.letGo()
  await setImmediate()

  assert.deepEqual(
    late.filter((id) => runtime.begun.has(id)),
    [],
  )
  assert.deepEqual(await dynos(), [])
  assert.deepEqual(await runtime.list(signal), [])
})

test('all that boot in a look are asked for before it ends', async () => {
  const runtime = new LateRuntime(0)
  const { look } = await manyWorkers(runtime, { metadata: true })
  await look() // the rows
  await look() // the first boots
  assert.equal(runtime.asked.size, BOOTS)
})

async function manyWorkers(runtime: LateRuntime, { metadata = false } = {}) {
  const it = await anApp(pool)
  await it.deploy({ worker: 'node work.js' })
  if (metadata)
    await putFeature(pool, it.app.id, { name: 'runtime-dyno-metadata', enabled: true })
  const formation = await it.formation('worker')
  const scale = (quantity: number) =>
    pool.query('update formations set quantity = $2 where id = $1', [formation, quantity])
  await scale(MANY)
  const lookAt = lookAfterFormation(managerDeps(pool, runtime))
  return {
    scale,
    look: () => lookAt(formation, signal),
    dynos: () => liveDynos(pool, formation),
  }
}
