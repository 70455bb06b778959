/** A formation of which more boot than one look may start. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { managerDeps } from '../../test/a-managed-app.ts'
import { anApp } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { systemClock } from '../lib/clock.ts'
import type { DynoId } from '../model/ids.ts'
import { MemoryRuntime } from '../runtime/memory/memory-runtime.ts'
import type { DynoSpec } from '../runtime/runtime.ts'
import { liveDynos } from '../store/dynos.ts'
import { lookAfterFormation } from './look-after-formation.ts'

const pool = aDatabase()
const { signal } = new AbortController()
const MANY = 60

/** Those that are held start when they are let go. */
class SlowRuntime extends MemoryRuntime {
  /** How often each was asked for. */
  readonly asked = new Map<DynoId, number>()
  readonly #held = new Map<DynoId, PromiseWithResolvers<void>>()
  readonly #holds: (nth: number) => boolean
  started = 0

  constructor(holds: (nth: number) => boolean) {
    super(systemClock, { boot: () => (this.started++, 'listens') })
    this.#holds = holds
  }

  override async start(dyno: DynoSpec, startSignal: AbortSignal): Promise<void> {
    const isNew = !this.asked.has(dyno.id)
    this.asked.set(dyno.id, (this.asked.get(dyno.id) ?? 0) + 1)
    if (isNew && this.#holds(this.asked.size)) {
      this.#held.set(dyno.id, Promise.withResolvers())
    }
    await this.#held.get(dyno.id)?.promise
    await super.start(dyno, startSignal)
  }

  letGo(): void {
    for (const { resolve } of this.#held.values()) resolve()
  }
}

test('a few that are slow hold up neither those that are up nor those that follow', async () => {
  const slow = new SlowRuntime((nth) => nth <= 4)
  const { look, settle, up } = await manyWorkers(slow)

  await look() // the rows
  await look() // the first boots
  await look() // who was up by then, and the next boots
  assert.equal(slow.asked.size, 44)
  assert.equal(await up(), 20)

  const settled = settle()
  await until('those after them are up', async () => (await up()) === 40)
  slow.letGo()
  await settled
  assert.equal(await up(), MANY)
})

test('each is started once for all that, though it is asked for until it runs', async () => {
  const slow = new SlowRuntime((nth) => nth <= 6)
  const { look, settle, up } = await manyWorkers(slow)

  for (let looks = 0; looks < 3; looks++) await look()
  assert.ok([...slow.asked.values()].includes(2))
  slow.letGo()
  await settle()

  assert.equal(await up(), MANY)
  assert.equal(slow.started, MANY)
})

async function manyWorkers(runtime: SlowRuntime) {
  const it = await anApp(pool)
  await it.deploy({ worker: 'node work.js' })
  await pool.query('update formations set quantity = $2 where app = $1', [
    it.app.id,
    MANY,
  ])
  const formation = await it.formation('worker')
  const lookAt = lookAfterFormation(managerDeps(pool, runtime))
  const look = () => lookAt(formation, signal)
  return {
    look,
    settle: async () => {
      for (let delay = 0; delay === 0;) delay = await look()
    },
    up: async () => {
      const dynos = await liveDynos(pool, formation)
      return dynos.filter(({ state }) => state === 'up').length
    },
  }
}
