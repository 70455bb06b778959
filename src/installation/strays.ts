/** Processes of an installation that no process file names. */

import { readFileSync } from 'node:fs'

import type { DataDirectory } from './data-directory.ts'
import { type LivingProcess, parentOf } from './living-process.ts'
import { ownProcesses } from './own-processes.ts'
import type { PartSpec } from './parts.ts'
import { findUserId, ourUids } from './users.ts'

/** What parts started and left running when they were killed, such as the hook of a push. */
export function straysOf(data: DataDirectory): LivingProcess[] {
  return processesWith({ MAYFLY_DATA: data.root }, ourUids())
}

/**
 * The process that was started as this part, whose children may have its environment too. Of a user
 * that the machine has not, as one that is newly installed, there are no processes.
 */
export function strayPart({
  user,
  environment,
}: Pick<PartSpec, 'user' | 'environment'>): LivingProcess | undefined {
  const { MAYFLY_DATA, MAYFLY_PART } = environment
  if (MAYFLY_DATA === undefined || MAYFLY_PART === undefined) return undefined
  const its = user === undefined ? undefined : findUserId(user)
  // Root's until it has become its user's.
  const uids = new Set([0, ...(its === undefined ? [] : [its])])
  const all = processesWith({ MAYFLY_DATA, MAYFLY_PART }, uids)
  return all.find((it) => all.every((other) => other.pid !== parentOf(it.pid)))
}

function processesWith(
  variables: Readonly<Record<string, string>>,
  uids: ReadonlySet<number>,
): LivingProcess[] {
  const wanted = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
  return ownProcesses(uids, (pid) => {
    const environment = environmentOf(pid)
    return wanted.every((it) => environment.includes(it))
  })
}

/** What it was started with, `NAME=value`. Empty for a process that is gone by now. */
export function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
  } catch {
    return []
  }
}
