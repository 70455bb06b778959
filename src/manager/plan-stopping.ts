import { later } from '../lib/clock.ts'
import { countedFrom } from '../lib/clock-jumps.ts'
import type { Dyno, StopReason } from '../model/dyno.ts'
import * as say from '../model/dyno-lines.ts'
import { crashedInOrder, noteExit, stoppedEarly } from './endings.ts'
import { type Facts, type Running, twinOf, WEB } from './facts.ts'
import { move, type Move, note, type Step } from './steps.ts'

export function planStopping(dyno: Dyno, facts: Facts): Step | undefined {
  const { now, policy, jumps } = facts
  const status = facts.statuses.get(dyno.id)
  if (mayGiveUpPlace(dyno, facts)) {
    return note(dyno, { leaving: true }, linesOfReturn[dyno.stopReason ?? 'crash'] ?? [])
  }
  if (dyno.exitedAt) {
    if (status) return { do: 'remove', dyno }
    if (dyno.routed) return undefined
    if (stoppedEarly(dyno)) return crashedInOrder(dyno, now)
    return move(dyno, restOf(dyno, facts), {}, [])
  }
  if (status?.is === 'exited') return noteExit(dyno, status, facts.sizes)
  if (status?.is !== 'running') return note(dyno, { exitedAt: now }, [])

  if (dyno.routed) return undefined
  return terminate(dyno, status, { stopGrace: policy.stopGrace, now, jumps })
}

/** SIGTERM, a while, SIGKILL: of one-offs too. */
export function terminate<Its extends Dyno>(
  dyno: Its,
  status: Running,
  {
    stopGrace,
    now,
    jumps,
  }: { readonly stopGrace: number } & Pick<Facts, 'now' | 'jumps'>,
): Move | { readonly do: 'terminate' | 'kill'; readonly dyno: Its } | undefined {
  if (!dyno.terminatedAt) return note(dyno, { terminatedAt: now }, [say.TERMINATING])
  if (!status.terminated) return { do: 'terminate', dyno }
  if (dyno.killedAt) return { do: 'kill', dyno }
  if (now < later(countedFrom(dyno.terminatedAt, jumps), stopGrace)) return undefined
  return note(dyno, { killedAt: now }, [
    say.exitTimeout(stopGrace),
    say.KILLING_REMAINING,
  ])
}

/**
 * A place that is wanted again need not wait until its last web dyno has ended: as when an
 * app is woken, or scaled up again, within the grace of one that takes its time.
 */
function mayGiveUpPlace(dyno: Dyno, facts: Facts): boolean {
  const { quantity, idle } = facts.formation
  if (dyno.type !== WEB || dyno.leaving || dyno.exitedAt) return false
  if (stoppedEarly(dyno)) return false
  return dyno.ordinal <= quantity && !idle && !twinOf(dyno, facts)
}

/** What is said of the place, where its last state told was `down`. */
const linesOfReturn: Partial<Record<StopReason, readonly string[]>> = {
  idling: [say.UNIDLING, say.stateChanged('down', 'starting')],
  'scale down': [say.stateChanged('down', 'starting')],
}

/** A dyno that fell asleep keeps its place, even if it has been woken again meanwhile. */
function restOf(dyno: Dyno, { formation }: Facts): 'idle' | 'down' {
  const sleeps = dyno.stopReason === 'idling' && !dyno.leaving
  return sleeps && dyno.ordinal <= formation.quantity ? 'idle' : 'down'
}
