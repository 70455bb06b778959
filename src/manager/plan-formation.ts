/**
 * The whole policy of the dyno manager as one pure function: what was asked for, what
 * there is, what time it is; what to do next. A file for each state a dyno is in.
 *
 * A step changes rows or makes one call to the runtime, never both. So the manager may die
 * between any two steps, and the next look simply goes on. The plan reaches one step ahead
 * for each dyno: sequences are not written down anywhere, they fall out of the facts.
 *
 * Two invariants hold the policy together. A web dyno that must go makes room only when
 * its successor is up and routed, so no request is lost. A dyno of any other type is gone
 * before its successor is even a row, so no job is worked twice.
 */

import { later } from '../lib/clock.ts'
import { countedFrom } from '../lib/clock-jumps.ts'
import { cyclesAt } from '../model/cycling.ts'
import type { Dyno } from '../model/dyno.ts'
import type { Formation } from '../model/formation.ts'
import { endedByHost } from './ended-by-host.ts'
import { type Facts, twinOf } from './facts.ts'
import { planCrashed, planIdle } from './plan-resting.ts'
import { planRollback } from './plan-rollback.ts'
import { placedBy, planStarting, readyBy } from './plan-starting.ts'
import { planStopping } from './plan-stopping.ts'
import { planUp } from './plan-up.ts'
import { heldUntil, overlapsUntil } from './preboot.ts'
import { ReplacementBudget } from './replacement-budget.ts'
import type { Step } from './steps.ts'

export function planFormation(facts: Facts): Step[] {
  const { formation, dynos } = facts
  const taken = new Set(dynos.filter((it) => !it.leaving).map((it) => it.ordinal))
  const budget = new ReplacementBudget(facts)

  return [
    ...planRollback(facts),
    ...dynos.flatMap(
      (dyno) => endedByHost(dyno, facts) ?? nextStepFor(dyno, facts, budget) ?? [],
    ),
    ...placesOf(formation)
      .filter((ordinal) => !taken.has(ordinal))
      .map((ordinal) => ({ do: 'add', ordinal }) as const),
  ]
}

/** Milliseconds until time alone gives a reason for a step, if nobody wakes us before. */
export function nextMoment(facts: Facts): number {
  const { dynos, now } = facts
  const ahead = dynos
    .flatMap((dyno) => momentsOf(dyno, facts))
    .flatMap((it) => (it && it > now ? [it.getTime()] : []))
  return Math.min(...ahead) - now.getTime()
}

function nextStepFor(
  dyno: Dyno,
  facts: Facts,
  budget: ReplacementBudget,
): Step | undefined {
  switch (dyno.state) {
    case 'starting':
      return planStarting(dyno, facts)
    case 'up':
      return planUp(dyno, facts, budget)
    case 'stopping':
      return planStopping(dyno, facts)
    case 'crashed':
      return planCrashed(dyno, facts)
    case 'idle':
      return planIdle(dyno, facts)
    case 'down':
      return undefined
  }
}

function momentsOf(dyno: Dyno, facts: Facts): (Date | null | undefined)[] {
  const { policy, formation, jumps } = facts
  const { id } = dyno
  const [startedAt, terminatedAt] = [dyno.startedAt, dyno.terminatedAt].map(
    (it) => it && countedFrom(it, jumps),
  )
  switch (dyno.state) {
    case 'starting':
      if (!startedAt) return [placedBy(dyno, facts)]
      return [
        readyBy(startedAt, false, facts),
        readyBy(startedAt, true, facts),
        heldUntil(dyno, facts),
      ]
    case 'up': {
      const successor = dyno.leaving ? twinOf(dyno, facts) : undefined
      return [
        startedAt && policy.cycling && cyclesAt({ id, startedAt }, policy.cycling),
        startedAt &&
          formation.healthCheck &&
          later(startedAt, formation.healthCheck.grace),
        successor && overlapsUntil(dyno, successor, facts),
      ]
    }
    case 'stopping':
      return [terminatedAt && later(terminatedAt, policy.stopGrace)]
    case 'crashed':
      return [dyno.nextAttemptAt]
    case 'idle':
    case 'down':
      return []
  }
}

/** Nobody is started in an app that sleeps. */
function placesOf({ quantity, idle }: Formation): number[] {
  return Array.from({ length: idle ? 0 : quantity }, (_, index) => index + 1)
}
