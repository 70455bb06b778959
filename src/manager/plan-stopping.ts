import { later } from '../lib/clock.ts'
import type { Dyno } from '../model/dyno.ts'
import * as say from '../model/dyno-lines.ts'
import { noteExit } from './endings.ts'
import type { Facts, Running } from './facts.ts'
import { move, type Move, note, type Step } from './steps.ts'

export function planStopping(dyno: Dyno, facts: Facts): Step | undefined {
  const { now, policy } = facts
  const status = facts.statuses.get(dyno.id)
  if (dyno.exitedAt) {
    if (status) return { do: 'remove', dyno }
    return dyno.routed ? undefined : move(dyno, restOf(dyno, facts), {}, [])
  }
  if (status?.is === 'exited') return noteExit(dyno, status, facts.sizes)
  if (status?.is !== 'running') return note(dyno, { exitedAt: now }, [])

  if (dyno.routed) return undefined
  return terminate(dyno, status, { stopGrace: policy.stopGrace, now })
}

/** SIGTERM, a while, SIGKILL: of one-offs too. */
export function terminate<Its extends Dyno>(
  dyno: Its,
  status: Running,
  { stopGrace, now }: { readonly stopGrace: number; readonly now: Date },
): Move | { readonly do: 'terminate' | 'kill'; readonly dyno: Its } | undefined {
  if (!dyno.terminatedAt) return note(dyno, { terminatedAt: now }, [say.TERMINATING])
  if (!status.terminated) return { do: 'terminate', dyno }
  if (dyno.killedAt) return { do: 'kill', dyno }
  if (now < later(dyno.terminatedAt, stopGrace)) return undefined
  return note(dyno, { killedAt: now }, [
    say.exitTimeout(stopGrace),
    say.KILLING_REMAINING,
  ])
}

/** A dyno that fell asleep keeps its place, even if it has been woken again meanwhile. */
function restOf(dyno: Dyno, { formation }: Facts): 'idle' | 'down' {
  const keeps = dyno.stopReason === 'idling' && dyno.ordinal <= formation.quantity
  return keeps ? 'idle' : 'down'
}
