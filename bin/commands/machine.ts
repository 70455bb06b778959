/** Everything that this machine must have: the control plane's list and the runtime's. */

import { examineForControlPlane } from '../../src/installation/examine-for-control-plane.ts'
import { Refusal } from '../../src/installation/refusal.ts'
import type { Finding } from '../../src/lib/finding.ts'
import { examineForDynos } from '../../src/runtime/local/examine-for-dynos.ts'
import { databaseUrl } from './settings.ts'

/** Changes nothing. */
export async function examineMachine(): Promise<readonly Finding[]> {
  const ours = examineForControlPlane(databaseUrl === undefined)
  // Only root can try what dynos need.
  if (ours.some((it) => it.what === 'root' && it.lacks !== undefined)) return ours
  return [...ours, ...(await examineForDynos())]
}

/** Throws a Refusal with the first thing that nothing works without. */
export async function machineMustDo(): Promise<void> {
  for (const { lacks, needed } of await examineMachine()) {
    if (needed && lacks !== undefined) throw new Refusal(lacks)
  }
}
