/**
 * What the tests of a formation's plan share: a world in as few facts as a case is about, the
 * steps planned in it, told in a line each, and the dynos that most cases are about.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { HOUR, later, MINUTE, SECOND } from '../src/lib/clock.ts'
import type { Facts, Health } from '../src/manager/facts.ts'
import { planFormation } from '../src/manager/plan-formation.ts'
import type { Step } from '../src/manager/steps.ts'
import type { Dyno } from '../src/model/dyno.ts'
import type { DynoId, ReleaseId } from '../src/model/ids.ts'
import type { DynoStatus } from '../src/runtime/runtime.ts'
import { aDyno, aFormation, aPolicy, bootedAt } from './a-dyno.ts'

export const v2 = 'v2' as ReleaseId
export const running = {
  is: 'running',
  startedAt: bootedAt,
  listening: true,
  terminated: false,
} as const
export const deaf = { ...running, listening: false }
export const terminated = { ...running, terminated: true }
export const now = later(bootedAt, HOUR / 2)

export function exited(
  but: Partial<Extract<DynoStatus, { is: 'exited' }>> = {},
): DynoStatus {
  return {
    is: 'exited',
    startedAt: bootedAt,
    at: now,
    status: 1,
    outOfMemory: false,
    ...but,
  }
}

export interface World {
  readonly formation?: Partial<Facts['formation']>
  readonly policy?: Partial<Facts['policy']>
  readonly health?: Health
  readonly dynos: readonly Dyno[]
  readonly status?: DynoStatus | undefined
  readonly since?: Date
  readonly now?: Date
}

export function planFor(world: World): Step[] {
  return planFormation(factsOf(world))
}

export function factsOf(world: World): Facts {
  const statuses = new Map<DynoId, DynoStatus>()
  const health = new Map<DynoId, Health>()
  for (const dyno of world.dynos) {
    const status = 'status' in world ? world.status : usualStatusOf(dyno)
    if (status) statuses.set(dyno.id, status)
    if (world.health) health.set(dyno.id, world.health)
  }
  return {
    formation: aFormation(world.formation),
    policy: aPolicy(world.policy),
    dynos: world.dynos,
    statuses,
    health,
    since: world.since ?? bootedAt,
    now: world.now ?? now,
  }
}

function usualStatusOf({ state }: Dyno): DynoStatus | undefined {
  return state === 'crashed' || state === 'idle' ? undefined : running
}

/** A plan in one line a step, so that a table of cases reads like prose. */
export function told(steps: readonly Step[]): string[] {
  return steps.map((step) => {
    if (step.do === 'add') return `add ${step.ordinal}`
    if (step.do === 'roll back release') return `roll back: ${step.failure}`
    const place = `${step.dyno.type}.${step.dyno.ordinal}`
    if (step.do === 'replace') return `replace ${place}: ${step.because}`
    if (step.do === 'revive') return `revive ${place}: ${step.crashes}`
    if (step.do !== 'move') return `${step.do} ${place}`
    return `${place} → ${step.to}: ${step.say.join(' | ')}`
  })
}

/** What a test calls a case, the facts, and the steps as `told` tells them. */
export type Case = readonly [name: string, world: World, steps: readonly string[]]

/** A test for each row of a table. */
export function itPlans(cases: readonly Case[]): void {
  for (const [name, world, steps] of cases) {
    test(name, () => assert.deepEqual(told(planFor(world)), steps))
  }
}

export const web1 = aDyno()
export const worker1 = aDyno({ type: 'worker', routed: false })
export const starting = aDyno({ state: 'starting', startedAt: null, updatedAt: now })
export const started = aDyno({ state: 'starting' })
export const stopping = aDyno({
  state: 'stopping',
  routed: false,
  stopReason: 'scale down',
})
export const gone = { quantity: 0 }
export const leaving = aDyno({ leaving: true, stopReason: 'release' })
export const crashedTwice = aDyno({
  state: 'crashed',
  crashes: 2,
  nextAttemptAt: later(now, 10 * SECOND),
})

export const asleep = aDyno({ state: 'idle', stopReason: 'idling' })
export const healthCheck = {
  path: '/health',
  interval: 10 * SECOND,
  timeout: 5 * SECOND,
  grace: 30 * SECOND,
  failures: 3,
}
export const sick: Health = {
  well: false,
  everWell: false,
  failures: 3,
  fault: 'it answered 503',
}
export const preboot = { switch: 3 * MINUTE, overlap: 5 * MINUTE }

/** Of a formation, all but the first. */
export function others(quantity: number): Dyno[] {
  return Array.from({ length: quantity - 1 }, (_, at) => aDyno({ ordinal: at + 2 }))
}

/** Released so that it is so many milliseconds past the switch. */
export function onSwitch(past: number): NonNullable<World['formation']> {
  return { release: v2, releasedAt: later(now, -3 * MINUTE - past) }
}
