/** Dynos that `mayfly down` or a restart of the machine ended: nobody's fault, and no crash. */

import type { Dyno } from '../model/dyno.ts'
import type { DynoStatus } from '../runtime/runtime.ts'
import type { Facts } from './facts.ts'
import { reasonToStop } from './reason-to-stop.ts'
import { move, type Move, stop } from './steps.ts'

/** Undefined: it was not. Otherwise its place is filled anew, if it is wanted. */
export function endedByHost(dyno: Dyno, facts: Facts): Move | undefined {
  if (!wentWithHost(dyno, facts.statuses.get(dyno.id), facts.downAt)) return undefined
  if (dyno.leaving) return move(dyno, 'stopping', {}, [])
  return stop(dyno, reasonToStop(dyno, facts) ?? 'host restart')
}

/** `down` leaves nothing of a dyno. A machine that stops leaves its files, and the driver tells. */
export function wentWithHost(
  { state, startedAt }: Dyno,
  status: DynoStatus | undefined,
  downAt: Date | undefined,
): boolean {
  if (state !== 'up' && state !== 'starting') return false
  if (status) return status.is === 'lost' && status.withHost === true
  return !!startedAt && !!downAt && startedAt <= downAt
}
