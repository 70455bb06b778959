/**
 * One life of a region's manager: the real loop, the real looks, all they ask of the outside
 * by turns. It ends as a killed process does; whoever comes next is another.
 */

import { HOUR } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import { heedHints } from '../manager/heed-hints.ts'
import { lookAfterApp } from '../manager/look-after-app.ts'
import { lookAfterFormation } from '../manager/look-after-formation.ts'
import { lookAfterOneOff } from '../manager/look-after-one-off.ts'
import { placer } from '../manager/place-dynos.ts'
import { sweep } from '../manager/sweep.ts'
import { takeOver } from '../manager/take-over.ts'
import { NOTHING } from '../model/capacity.ts'
import { HEROKU_SIZES } from '../model/size.ts'
import { HEROKU_TIMINGS } from '../model/timings.ts'
import type { Region } from '../store/regions.ts'
import { type Look, runLoop } from '../work/loop.ts'
import { faultyRuntime, type RuntimeSurroundings } from './faulty-runtime.ts'
import type { Machine } from './machine.ts'
import type { Outside } from './outside.ts'
import type { SimulatedDatabase } from './simulated-database.ts'
import type { SimulatedRouter } from './simulated-router.ts'
import { kill, type Mortal } from './turns.ts'

export interface ManagerSurroundings extends RuntimeSurroundings {
  readonly database: SimulatedDatabase
  readonly machine: Machine
  readonly router: SimulatedRouter
  readonly outside: Outside
  readonly region: Region
  readonly secrets: SecretBox
  readonly log: Log
  readonly looked: (kind: string) => void
  /** Calls back when PostgreSQL notifies, until the manager is dead. */
  readonly listens: (mortal: Mortal, heard: () => void) => void
}

/** Nobody has anything there; who asks is answered by the file system, not by a turn. */
const NOWHERE = '/nonexistent/mayfly-simulation'
/** There is nothing there. */
const removeTree = async () => {}
const LONGEST_SLEEP = HOUR

export function startManager(mortal: Mortal, around: ManagerSurroundings): void {
  const { database, machine, region, secrets, time, log, router, outside } = around
  const { signal } = new AbortController()
  const { clock, timer } = time
  const pool = database.poolOf(mortal, { breaks: true })
  const runtime = faultyRuntime(machine.runtime, mortal, around)
  heedHints(runtime, { pool, region: region.name, log }, signal)

  const { place } = placer({
    pool,
    runtime,
    clock,
    machine: { name: 'simulated', regions: [region.name] },
    sizes: () => HEROKU_SIZES,
    factor: () => ({ memory: 1, disk: 1 }),
    build: NOTHING,
  })
  const directories = { slugs: NOWHERE, caches: NOWHERE, repos: NOWHERE }
  const looks: Record<string, Look> = {
    formation: lookAfterFormation({
      pool,
      runtime,
      secrets,
      clock,
      timings: () => HEROKU_TIMINGS,
      health: () => new Map(),
      place,
    }),
    'one-off': lookAfterOneOff({
      pool,
      runtime,
      secrets,
      clock,
      ahead: () => 0,
      timings: () => HEROKU_TIMINGS,
      place,
    }),
    router: router.look(pool, mortal),
    app: outside.look(
      (through) => lookAfterApp({ pool: through, directories, removeTree }),
      pool,
    ),
    sweep: rarely(around, sweep({ pool, runtime, region: region.name, clock, log })),
  }
  void runLoop(
    {
      pool,
      region: region.name,
      looks: counted(looks, around.looked),
      log,
      timer,
      longestSleep: LONGEST_SLEEP,
      overdue: () => void kill(mortal),
      listens: async (heard) => {
        around.listens(mortal, heard)
        heard()
      },
    },
    signal,
  )
  takeOver(pool, region).catch(() => kill(mortal))
}

/**
 * A sweep every 15 seconds would be most of what happens. While nothing is amiss that only a
 * sweep finds, it is put off.
 */
function rarely({ machine }: ManagerSurroundings, look: Look): Look {
  return async (subject, signal) => {
    const delay = await look(subject, signal)
    return machine.wantsSweep ? delay : LONGEST_SLEEP
  }
}

function counted(
  looks: Readonly<Record<string, Look>>,
  looked: (kind: string) => void,
): Record<string, Look> {
  return Object.fromEntries(
    Object.entries(looks).map(([kind, look]) => [
      kind,
      (subject, signal) => {
        looked(kind)
        return look(subject, signal)
      },
    ]),
  )
}
