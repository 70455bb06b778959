import { later, latest, MINUTE } from '../lib/clock.ts'
import { countedFrom } from '../lib/clock-jumps.ts'
import type { Dyno } from '../model/dyno.ts'
import * as say from '../model/dyno-lines.ts'
import { ended, hasHardlyBegun, lost, notStarted, unmonitored } from './endings.ts'
import { type Facts, type Running, WEB } from './facts.ts'
import { heldUntil } from './preboot.ts'
import { reasonToStop } from './reason-to-stop.ts'
import { move, note, type Step, stop } from './steps.ts'

/** From a dyno's row, or the end of its waiting for room, for its slug or for a manager, to its process. */
const PLACED_WITHIN = 2 * MINUTE

export function planStarting(dyno: Dyno, facts: Facts): Step | undefined {
  const { now } = facts
  const status = facts.statuses.get(dyno.id)
  const unwanted = reasonToStop(dyno, facts)
  if (unwanted && !dyno.killedAt) {
    const isLostEarly = unwanted === 'host lost' && hasHardlyBegun(dyno, now)
    return isLostEarly ? unmonitored(dyno, now) : stop(dyno, unwanted)
  }

  switch (status?.is) {
    case undefined:
    case 'created':
      if (dyno.startedAt) return lost(dyno, now)
      if (dyno.waitingFor) return undefined
      if (now < placedBy(dyno, facts)) return { do: 'boot', dyno }
      return notStarted(dyno, 'start failed', [say.notLaunched(PLACED_WITHIN)], now)
    case 'lost':
      return lost(dyno, now)
    case 'exited':
      if (!dyno.startedAt) return { do: 'note start', dyno, at: status.startedAt }
      return ended(dyno, status, facts)
    case 'running':
      if (dyno.killedAt) return { do: 'kill', dyno }
      if (mayBeUp(dyno, status, facts)) return up(dyno, status)
      if (!dyno.startedAt) return { do: 'note start', dyno, at: status.startedAt }
      if (isReady(dyno, status, facts)) return undefined
      return whenNotReady(dyno, dyno.startedAt, status.listening, facts)
  }
}

export function placedBy({ updatedAt }: Dyno, { since, jumps }: Facts): Date {
  return later(countedFrom(latest(updatedAt, since), jumps), PLACED_WITHIN)
}

/** When a web dyno that is not ready by then is given up. */
export function readyBy(startedAt: Date, listening: boolean, facts: Facts): Date {
  return later(countedFrom(startedAt, facts.jumps), readyWithin(listening, facts))
}

function readyWithin(listening: boolean, { policy, formation }: Facts): number {
  const grace = listening ? (formation.healthCheck?.grace ?? 0) : 0
  return Math.max(policy.bootTimeout, grace)
}

/** Whether requests would find it serving: its port is bound, and its health check is answered well. */
function isReady(dyno: Dyno, { listening }: Running, facts: Facts): boolean {
  if (dyno.type !== WEB) return true
  if (!facts.formation.healthCheck) return listening
  return listening && facts.health.get(dyno.id)?.well === true
}

function mayBeUp(dyno: Dyno, status: Running, facts: Facts): boolean {
  const held = heldUntil(dyno, facts)
  return isReady(dyno, status, facts) && !(held && facts.now < held)
}

/** Who is ready when first seen, as a worker is, has its start noted by the same change. */
function up(dyno: Dyno, { startedAt }: Running): Step {
  const start = dyno.startedAt ? {} : { startedAt }
  return move(dyno, 'up', start, [say.stateChanged('starting', 'up')])
}

/** By its start as it was noted: the runtime tells it by a clock that may have been set back since. */
function whenNotReady(
  dyno: Dyno,
  startedAt: Date,
  listening: boolean,
  facts: Facts,
): Step | undefined {
  const { formation, policy, now } = facts
  if (now < readyBy(startedAt, listening, facts)) return undefined
  if (!listening) {
    return note(dyno, { killedAt: now, stopReason: 'boot timeout' }, [
      say.bootTimeout(policy.bootTimeout),
      say.KILLING,
    ])
  }
  const health = facts.health.get(dyno.id)
  const check = formation.healthCheck
  if (!health || !check) return undefined
  const { everWell, failures, fault } = health
  // Another manager may have seen it well, and held it for the switch.
  const neverWell = !everWell && facts.since <= startedAt
  if (!neverWell && failures < check.failures) return undefined
  const within = readyWithin(listening, facts)
  return note(dyno, { killedAt: now, stopReason: 'unhealthy' }, [
    neverWell
      ? say.neverHealthy(check.path, within, fault)
      : say.unhealthy(check.path, failures, fault),
    say.KILLING,
  ])
}
