import { later } from '../lib/clock.ts'
import { countedFrom } from '../lib/clock-jumps.ts'
import { cyclesAt } from '../model/cycling.ts'
import type { Dyno, StopReason } from '../model/dyno.ts'
import type { Facts, Health } from './facts.ts'

/** Why a dyno that does no harm must go all the same. */
export function reasonToStop(dyno: Dyno, facts: Facts): StopReason | undefined {
  const { formation, policy, now } = facts
  if (dyno.ordinal > formation.quantity) return 'scale down'
  if (formation.idle) return 'idling'
  if (dyno.release !== formation.release) return 'release'
  if (dyno.size !== formation.size) return 'size'
  if (dyno.restartRequestedAt)
    return dyno.restartBecause === 'memory' ? 'memory' : 'restart'
  if (sickness(dyno, facts)) return 'unhealthy'
  const status = facts.statuses.get(dyno.id)
  if (status?.is === 'running' && status.monitored === false) return 'host lost'
  const { id } = dyno
  const startedAt = dyno.startedAt && countedFrom(dyno.startedAt, facts.jumps)
  if (startedAt && policy.cycling && now >= cyclesAt({ id, startedAt }, policy.cycling)) {
    return 'cycling'
  }
  return undefined
}

/** What its health check says against an up dyno; undefined: nothing, or not often enough. */
export function sickness(dyno: Dyno, facts: Facts): Health | undefined {
  const check = facts.formation.healthCheck
  const health = facts.health.get(dyno.id)
  if (!check || !health || dyno.state !== 'up' || !dyno.startedAt) return undefined
  const startedAt = countedFrom(dyno.startedAt, facts.jumps)
  if (facts.now < later(startedAt, check.grace)) return undefined
  return health.failures >= check.failures ? health : undefined
}
