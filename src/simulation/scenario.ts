/**
 * What happens in a simulation, drawn from its seed beforehand: so a failing one can be made
 * shorter by leaving things out. Trouble comes in bursts, for it is the second blow, while
 * the first is still being dealt with, that finds mistakes. The last hour of each day is left
 * alone, and at its end everything must be as asked.
 */

import { DAY, HOUR, MINUTE, SECOND } from '../lib/clock.ts'
import type { Happening, Mishap, Wish } from './happening.ts'
import { Random } from './random.ts'
import type { RuntimeFault } from './faulty-runtime.ts'
import { STEADY, type Temper } from './temper.ts'

export interface Scenario {
  readonly seed: number
  readonly apps: number
  readonly days: number
  readonly happenings: readonly Happening[]
}

const BURSTS_A_DAY = 2
const MOST_IN_BURST = 6
const MORE_THAN_BOOT_AT_ONCE = 25
const MENDED_AT = DAY - 75 * MINUTE
const CHECKED_AT = DAY - MINUTE

export function scenarioOf(seed: number, days: number, apps: number): Scenario {
  const random = new Random(seed)
  const happenings: Happening[] = Array.from({ length: apps }, (_, app) => ({
    at: 0,
    app,
    does: 'deploy',
    web: STEADY,
    worker: STEADY,
  }))
  for (let day = 0; day < days; day++) {
    const bursts = random.whole(0, 2 * BURSTS_A_DAY + 1)
    for (let burst = 0; burst < bursts; burst++) {
      const app = random.whole(0, apps)
      let at = day * DAY + random.whole(10, MENDED_AT - HOUR)
      for (let more = random.whole(1, MOST_IN_BURST); more > 0; more--) {
        happenings.push({ at, ...something(random, app) })
        at += Math.round(random.next() ** 3 * 90 * SECOND)
      }
    }
    happenings.push({ at: day * DAY + MENDED_AT, does: 'mend' })
    happenings.push({ at: day * DAY + CHECKED_AT, does: 'check' })
  }
  return { seed, apps, days, happenings: happenings.toSorted((a, b) => a.at - b.at) }
}

function something(random: Random, app: number): Wish | Mishap {
  return random.chance(0.45) ? { app, ...aWish(random) } : aMishap(random)
}

type Draw<T> = readonly [weight: number, draw: () => T]

function drawn<T>(random: Random, draws: readonly Draw<T>[]): T {
  let left = random.next() * draws.reduce((sum, [weight]) => sum + weight, 0)
  for (const [weight, draw] of draws) {
    left -= weight
    if (left < 0) return draw()
  }
  throw new Error('weights are positive')
}

type WithoutApp<T> = T extends unknown ? Omit<T, 'app'> : never

function aWish(random: Random): WithoutApp<Wish> {
  const type = () => random.one(['web', 'worker'])
  return drawn<WithoutApp<Wish>>(random, [
    [5, () => aDeploy(random)],
    [3, () => ({ does: 'configure', value: random.whole(0, 1000) })],
    [6, () => ({ does: 'scale', type: type(), quantity: aQuantity(random) })],
    [2, () => ({ does: 'resize', type: type(), size: random.one(SIZES) })],
    [4, () => ({ does: 'restart', which: random.one(RESTARTS) })],
    [1, () => ({ does: 'roll back' })],
    [4, () => ({ does: 'run', command: aCommand(random, 20 * MINUTE) })],
    [0.5, () => ({ does: 'stop one-offs' })],
    [
      1,
      () => ({ does: 'switch', feature: random.one(FEATURES), on: random.chance(0.5) }),
    ],
    [0.5, () => ({ does: 'destroy' })],
  ])
}

/** Few; one time in ten more than a manager boots in one look. */
function aQuantity(random: Random): number {
  // By one draw, as few alone would be: the others of a seed's draws stay what they are.
  const one = random.whole(0, 600)
  const [few, percent] = [Math.floor(one / 100), one % 100]
  return percent < 90 ? few : MORE_THAN_BOOT_AT_ONCE + few
}

function aDeploy(random: Random): WithoutApp<Wish> {
  const code = { web: aTemper(random), worker: aTemper(random) }
  // Each is followed closely for as long as it runs, so they are short.
  const command = random.chance(0.5) ? aCommand(random, MINUTE) : undefined
  return { does: 'deploy', ...code, ...(command && { release: command }) }
}

/** It ends by itself in time, most often well. */
function aCommand(random: Random, longest: number): Temper {
  return {
    ...STEADY,
    exits: random.whole(0, longest / SECOND),
    status: random.one([0, 0, 0, 1]),
    stops: random.one([0, 20, Infinity]),
  }
}

function aMishap(random: Random): Mishap {
  const pick = random.next()
  const down = random.chance(0.9) ? random.whole(100, 5000) : random.whole(1, 90) * MINUTE
  const span = random.whole(1, 20) * MINUTE
  return drawn<Mishap>(random, [
    [
      6,
      () => ({
        does: 'crash',
        pick,
        status: random.one([0, 1, 137]),
        outOfMemory: random.chance(0.3),
      }),
    ],
    [2, () => ({ does: 'lose', pick, trace: random.chance(0.7) })],
    [0.3, () => ({ does: 'power cut', down })],
    [
      6,
      () => ({
        does: 'kill manager',
        turns: random.whole(0, 40),
        when: random.one(['before', 'after']),
        down,
      }),
    ],
    [
      8,
      () => ({
        does: 'break runtime',
        how: random.one(RUNTIME_FAULTS),
        calls: random.whole(0, 12),
        late: random.whole(50, 40 * SECOND),
      }),
    ],
    [
      6,
      () => ({
        does: 'break database',
        how: random.one(['before', 'after']),
        statements: random.whole(0, 40),
      }),
    ],
    [1, () => ({ does: 'lose hints', for: span })],
    [1, () => ({ does: 'slow router', by: random.whole(100, 20 * SECOND), for: span })],
  ])
}

/** Most are well-behaved; the others are bad in one way each. */
function aTemper(random: Random): Temper {
  return drawn<Temper>(random, [
    [4, () => STEADY],
    [3, () => ({ ...STEADY, listens: random.whole(1, 50), stops: random.whole(0, 25) })],
    [1, () => ({ ...STEADY, listens: Infinity })],
    [0.5, () => ({ ...STEADY, exits: 0 })],
    [0.5, () => ({ ...STEADY, listens: 1, exits: random.whole(2, 15_000) })],
    [1, () => ({ ...STEADY, stops: Infinity })],
  ])
}

const SIZES = ['Standard-1X', 'Standard-2X', 'Performance-M']
const RESTARTS = ['all', 'web', 'worker', 'web.1', 'web.2', 'worker.1']
const FEATURES = ['preboot']
const RUNTIME_FAULTS: readonly RuntimeFault[] = [
  'fails',
  'fails afterwards',
  'hangs',
  'hangs afterwards',
  'answers late',
  'happens late',
  'happens twice',
  'stops half-way',
]
