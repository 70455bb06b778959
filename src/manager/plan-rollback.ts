/**
 * A release on trial is one that no web dyno has been ready on, while there is an earlier
 * one to go back to. When all of its first batch, or of what is left of it, have failed
 * twice and none stands, it is rolled back. The old web dynos never stopped serving. What
 * went wrong must be the app's doing: a lost host or a failing machine proves nothing.
 */

import type { Dyno, StopReason } from '../model/dyno.ts'
import { placeOf } from '../model/dyno.ts'
import { type Facts, WEB } from './facts.ts'
import type { Step } from './steps.ts'

const TRIES = 2

/** The app's own failures, as the end of a sentence that begins with the dyno's name. */
const failures: Partial<Record<StopReason, (dyno: Dyno, facts: Facts) => string>> = {
  crash: ({ exitStatus }) => `exited with status ${exitStatus} before it was ready`,
  'boot timeout': (_, { policy }) =>
    `did not bind its port within ${policy.bootTimeout / 1000} seconds`,
  unhealthy: (_, { formation }) =>
    `did not answer its health check ${formation.healthCheck?.path ?? ''} well in time`,
  'out of memory': () => 'ran out of memory before it was ready',
  checksum: () => 'could not be started: its slug is damaged',
}

export function planRollback(facts: Facts): Step[] {
  const { formation, policy, dynos } = facts
  if (formation.type !== WEB || !formation.onTrial || !policy.automaticRollback) return []
  const tried = dynos.filter((it) => it.release === formation.release && !it.leaving)
  if (tried.length === 0 || tried.some((it) => it.crashes < TRIES)) return []
  for (const dyno of tried) {
    const because = dyno.state === 'crashed' ? dyno.stopReason : null
    const failed = because && failures[because]
    if (!failed) continue
    const failure = `${placeOf(dyno)} ${failed(dyno, facts)}, ${TRIES} times in a row`
    return [{ do: 'roll back release', failure }]
  }
  return []
}
