/** An app under the manager's own code over the memory runtime, a real database, and a clock we turn. */

import assert from 'node:assert/strict'

import type { Pool } from 'pg'

import { type Clock, later, SECOND, systemClock } from '../src/lib/clock.ts'
import type { Health } from '../src/manager/facts.ts'
import { lookAfterFormation } from '../src/manager/look-after-formation.ts'
import { type Placer, placer } from '../src/manager/place-dynos.ts'
import { NOTHING } from '../src/model/capacity.ts'
import type { Dyno } from '../src/model/dyno.ts'
import type { DynoId } from '../src/model/ids.ts'
import { HEROKU_SIZES } from '../src/model/size.ts'
import { HEROKU_TIMINGS } from '../src/model/timings.ts'
import {
  MemoryRuntime,
  type MemoryRuntimeOptions,
} from '../src/runtime/memory/memory-runtime.ts'
import type { Runtime } from '../src/runtime/runtime.ts'
import { liveDynos } from '../src/store/dynos.ts'
import { anApp, type AnApp, secrets } from './an-app.ts'

const { signal } = new AbortController()

/** Who looks again so soon waits for what was killed to be gone. */
export const SOON = 0.1 * SECOND

/** Looks until that is not wanted again soon. */
export async function untilCalm(look: () => Promise<number>): Promise<void> {
  for (let looks = 0; (await look()) <= SOON; looks++) {
    assert.ok(looks < 100, 'it never settles')
  }
}

/** What a manager's looks need, where no health is checked and there is room for every dyno. */
export function managerDeps(pool: Pool, runtime: Runtime, clock: Clock = systemClock) {
  return {
    pool,
    runtime,
    secrets,
    clock,
    timings: () => HEROKU_TIMINGS,
    health: () => new Map<DynoId, Health>(),
    place: anEndlessPlacer(pool, clock),
  }
}

/** Where there is no end of memory and disk. */
function anEndlessPlacer(pool: Pool, clock: Clock): Placer['place'] {
  const endless = { memory: Infinity, disk: Infinity, diskOfDyno: 0 }
  return placer({
    pool,
    runtime: { capacity: async () => endless },
    clock,
    machine: { name: 'endless', regions: ['us'] },
    sizes: () => HEROKU_SIZES,
    factor: () => ({ memory: 1, disk: 1 }),
    build: NOTHING,
  }).place
}

/** One app whose manager and router look as often as they like; time passes only by `wait`. */
export async function aManagedApp(pool: Pool, options: MemoryRuntimeOptions = {}) {
  let now = new Date('2026-01-01T00:00:00Z')
  const clock = { now: () => now }
  const runtime = new MemoryRuntime(clock, options)
  const health = new Map<DynoId, Health>()
  const aManager = () =>
    lookAfterFormation({ ...managerDeps(pool, runtime, clock), health: () => health })
  let look = aManager()
  const it = await anApp(pool)

  return {
    it,
    runtime,
    health,
    lookOnce: async () => look(await it.formation('web'), signal),
    /** The manager dies, and after so many milliseconds another begins. */
    standStill: (milliseconds: number): void => {
      now = later(now, milliseconds)
      look = aManager()
    },
    /** Looks and routes until nobody has anything to do. */
    settle: async (type = 'web'): Promise<Dyno[]> => {
      const formation = await it.formation(type)
      for (let looks = 0; ; looks++) {
        assert.ok(looks < 200, 'it never settles')
        const delay = await look(formation, signal)
        const routed = await route(pool, it)
        if (delay > SOON && !routed) return liveDynos(pool, formation)
      }
    },
    wait: (milliseconds: number): void => {
      now = later(now, milliseconds)
    },
  }
}

/** The router, as far as the manager can tell. Says whether anything changed. */
async function route(pool: Pool, { app }: AnApp): Promise<boolean> {
  const { rows } = await pool.query(
    `update dynos set routed = (state = 'up')
      where app = $1 and type = 'web' and routed <> (state = 'up') returning id`,
    [app.id],
  )
  return rows.length > 0
}

/** What is asked of all its formations: `quantity = 3`. */
export async function ask(pool: Pool, it: AnApp, change: string): Promise<void> {
  await pool.query(`update formations set ${change} where app = $1`, [it.app.id])
}

export async function askRestart(pool: Pool, it: AnApp, at: Date): Promise<void> {
  await pool.query('update dynos set restart_requested_at = $2 where app = $1', [
    it.app.id,
    at,
  ])
}
