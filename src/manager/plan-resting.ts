import type { Dyno, StopReason } from '../model/dyno.ts'
import * as say from '../model/dyno-lines.ts'
import type { Facts } from './facts.ts'
import { reasonToStop } from './reason-to-stop.ts'
import { move, type Step } from './steps.ts'

/** What clears the count of crashes. */
const FRESH_STARTS: readonly (StopReason | undefined)[] = ['release', 'size', 'restart']

export function planCrashed(dyno: Dyno, facts: Facts): Step | undefined {
  if (facts.statuses.has(dyno.id)) return { do: 'remove', dyno }
  if (dyno.routed) return undefined

  const unwanted = reasonToStop(dyno, facts)
  const ends = [say.stateChanged('crashed', 'down')]
  if (unwanted === 'scale down') return move(dyno, 'down', {}, ends)
  if (unwanted === 'idling') return move(dyno, 'idle', { stopReason: 'idling' }, ends)
  const fresh = FRESH_STARTS.includes(unwanted)
  const waits = dyno.nextAttemptAt && facts.now < dyno.nextAttemptAt
  if (waits && !fresh)
    return dyno.address === null ? undefined : { do: 'give back address', dyno }
  const lines = [say.stateChanged('crashed', 'starting')]
  return { do: 'revive', dyno, crashes: fresh ? 0 : dyno.crashes, say: lines }
}

export function planIdle(dyno: Dyno, { formation }: Facts): Step | undefined {
  if (dyno.ordinal > formation.quantity) return move(dyno, 'down', {}, [])
  if (formation.idle) return undefined
  const lines = [say.UNIDLING, say.stateChanged('down', 'starting')]
  return { do: 'revive', dyno, crashes: 0, say: lines }
}
