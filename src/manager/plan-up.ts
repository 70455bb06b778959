import type { Dyno, StopReason } from '../model/dyno.ts'
import * as say from '../model/dyno-lines.ts'
import { ended, hasHardlyBegun, lost } from './endings.ts'
import { type Facts, twinOf, WEB } from './facts.ts'
import { overlapsUntil } from './preboot.ts'
import { reasonToStop, sickness } from './reason-to-stop.ts'
import type { ReplacementBudget } from './replacement-budget.ts'
import { move, type Step, stop } from './steps.ts'

export function planUp(
  dyno: Dyno,
  facts: Facts,
  budget: ReplacementBudget,
): Step | undefined {
  const status = facts.statuses.get(dyno.id)
  if (status?.is === 'exited') return ended(dyno, status, facts)
  if (status?.is !== 'running') return lost(dyno, facts.now)
  // The log told of its going when its successor took the place.
  if (dyno.leaving)
    return mayLeave(dyno, facts) ? move(dyno, 'stopping', {}, []) : undefined

  const unwanted = reasonToStop(dyno, facts)
  if (!unwanted) return undefined
  const why = whyExactly(unwanted, dyno, facts)
  if (unwanted === 'scale down' || unwanted === 'idling') return stop(dyno, unwanted)
  // Of each place one may leave at a time.
  if (twinOf(dyno, facts)) return undefined
  if (!budget.spend(unwanted)) return undefined
  const endsAsCrashed = unwanted === 'host lost' && hasHardlyBegun(dyno, facts.now)
  if (dyno.type !== WEB || endsAsCrashed) return stop(dyno, unwanted, why)
  const lines = [...why, ...say.replacing(unwanted), say.stateChanged('up', 'starting')]
  return { do: 'replace', dyno, because: unwanted, say: lines }
}

/** A leaving dyno may go once its successor serves, or when nobody wants the place any more. */
function mayLeave(dyno: Dyno, facts: Facts): boolean {
  const { formation, now } = facts
  if (dyno.ordinal > formation.quantity || formation.idle) return true
  const successor = twinOf(dyno, facts)
  if (successor?.state !== 'up' || !successor.routed) return false
  const overlap = overlapsUntil(dyno, successor, facts)
  // Who must be replaced again needs the budget.
  return !overlap || now >= overlap || reasonToStop(successor, facts) !== undefined
}

function whyExactly(because: StopReason, dyno: Dyno, facts: Facts): string[] {
  if (because === 'host lost') return [say.MONITOR_LOST]
  const sick = because === 'unhealthy' && sickness(dyno, facts)
  const path = facts.formation.healthCheck?.path
  return sick && path ? [say.unhealthy(path, sick.failures, sick.fault)] : []
}
