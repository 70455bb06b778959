/** Processes of an installation that no process file names. */

import { readdirSync, readFileSync } from 'node:fs'

import type { DataDirectory } from './data-directory.ts'
import { type LivingProcess, parentOf, processOf } from './living-process.ts'

/** What parts started and left running when they were killed, such as the hook of a push. */
export function straysOf(data: DataDirectory): LivingProcess[] {
  return processesWith({ MAYFLY_DATA: data.root })
}

/** The process that was started with this environment, which its children may have too. */
export function strayPart(
  environment: Readonly<Record<string, string>>,
): LivingProcess | undefined {
  const { MAYFLY_DATA, MAYFLY_PART } = environment
  if (MAYFLY_DATA === undefined || MAYFLY_PART === undefined) return undefined
  const all = processesWith({ MAYFLY_DATA, MAYFLY_PART })
  return all.find((it) => all.every((other) => other.pid !== parentOf(it.pid)))
}

function processesWith(variables: Readonly<Record<string, string>>): LivingProcess[] {
  const wanted = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
  return readdirSync('/proc')
    .filter((it) => /^\d+$/.test(it))
    .filter((pid) => {
      const environment = environmentOf(pid)
      return wanted.every((it) => environment.includes(it))
    })
    .flatMap((pid) => processOf(Number(pid)) ?? [])
}

/** Empty for a process that is gone by now. */
function environmentOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
  } catch {
    return []
  }
}
