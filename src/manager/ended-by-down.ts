/** Dynos that `mayfly down` ended: nobody's fault, and no crash. */

import type { Dyno } from '../model/dyno.ts'
import type { DynoStatus } from '../runtime/runtime.ts'
import type { Facts } from './facts.ts'
import { reasonToStop } from './reason-to-stop.ts'
import { move, type Move, stop } from './steps.ts'

/** Undefined: it was not. Otherwise its place is filled anew, if it is wanted. */
export function endedByDown(dyno: Dyno, facts: Facts): Move | undefined {
  if (!wentDown(dyno, facts.statuses.get(dyno.id), facts.downAt)) return undefined
  if (dyno.leaving) return move(dyno, 'stopping', {}, [])
  return stop(dyno, reasonToStop(dyno, facts) ?? 'host restart')
}

/** `down` leaves nothing of a dyno; a power cut leaves its files, and it is lost. */
export function wentDown(
  { state, startedAt }: Dyno,
  status: DynoStatus | undefined,
  downAt: Date | undefined,
): boolean {
  if (status || !startedAt || !downAt) return false
  return (state === 'up' || state === 'starting') && startedAt <= downAt
}
