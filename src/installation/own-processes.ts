/**
 * Processes that Mayfly may have started. Anybody gives a process of theirs whatever environment
 * and command line they like, and a dyno's are its tenant's: these tell which of ours a process is,
 * and never that it is ours. Users and namespaces tell that, which are not for others to choose.
 */

import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'

import { isAlive, type LivingProcess, processOf } from './living-process.ts'

const NAMESPACES = ['user', 'pid'] as const
const CHANGES_USER = 0o6000

/**
 * All that run as these uids in the namespaces of this process, by a program that does not make
 * whoever calls it another. Of them `isWanted` picks, by what else /proc says.
 */
export function ownProcesses(
  uids: ReadonlySet<number>,
  isWanted: (pid: number) => boolean,
): LivingProcess[] {
  const here = NAMESPACES.map((it) => namespaceOf('self', it))
  return readdirSync('/proc')
    .filter((it) => /^\d+$/.test(it))
    .flatMap((name) => {
      const pid = Number(name)
      const it = processOf(pid)
      if (!it || !mayBeOurs(pid) || !isWanted(pid)) return []
      // Or what was read is of another that has its number now.
      return isAlive(it) ? [it] : []
    })

  /** The program last: whoever has a uid by such a program has it only once that runs. */
  function mayBeOurs(pid: number): boolean {
    try {
      return (
        uidsOf(pid).every((uid) => uids.has(uid)) &&
        NAMESPACES.every((it, at) => namespaceOf(pid, it) === here[at]) &&
        (statSync(`/proc/${pid}/exe`).mode & CHANGES_USER) === 0
      )
    } catch (error) {
      // It is gone by now; or the kernel's, with no program; or one that may more than we may.
      const { code = '' } = error as NodeJS.ErrnoException
      if (['ENOENT', 'ESRCH', 'EACCES'].includes(code)) return false
      throw error
    }
  }
}

const namespaceOf = (pid: number | 'self', kind: string) =>
  readlinkSync(`/proc/${pid}/ns/${kind}`)

/** Real, effective, saved, and for files. */
function uidsOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  const [, uids = ''] = /^Uid:\t(.*)$/m.exec(text) ?? []
  return uids.split('\t').map(Number)
}
