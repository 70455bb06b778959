import { readdirSync, readFileSync } from 'node:fs'

import type { DataDirectory } from './data-directory.ts'
import { type LivingProcess, processOf } from './living-process.ts'

/** What parts started and left running when they were killed, such as the hook of a push. */
export function straysOf(data: DataDirectory): LivingProcess[] {
  return readdirSync('/proc')
    .filter(
      (it) => /^\d+$/.test(it) && environmentOf(it).includes(`MAYFLY_DATA=${data.root}`),
    )
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
