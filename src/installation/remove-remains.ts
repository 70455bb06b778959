/** Takes off the machine what an interrupted run of the tests left there. */

import { globSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'

import { pause, SECOND } from '../lib/clock.ts'
import { runProgram } from '../lib/run-program.ts'
import { endProcess, processOf } from './living-process.ts'
import type { Remain } from './remains.ts'

const POLL = 50
const PATIENCE = 5 * SECOND

/** One after the other, in their order; what can't be removed stays. */
export async function removeRemains(remains: readonly Remain[]): Promise<void> {
  for (const it of remains) {
    try {
      await remove(it)
    } catch {
      // Gone by itself, or with another: the next look tells.
    }
  }
}

function remove({ kind, name }: Remain): Promise<unknown> {
  switch (kind) {
    case 'process':
      return kill(Number(name))
    case 'mount':
      return runProgram(['umount', '--lazy', name])
    case 'namespace':
      return runProgram(['ip', 'netns', 'delete', name])
    case 'link':
      return runProgram(['ip', 'link', 'delete', name])
    case 'table':
      return runProgram(['nft', 'delete', 'table', ...name.split(' ')])
    case 'cgroup':
      return removeCgroup(name)
  }
}

async function kill(pid: number): Promise<void> {
  const it = processOf(pid)
  if (it) await endProcess(it, { signal: 'SIGKILL', patience: 0 })
}

/** With all below it, the deepest first. */
async function removeCgroup(top: string): Promise<void> {
  const all = [top, ...globSync(`${top}/**/`)].toSorted((a, b) => b.length - a.length)
  for (const cgroup of all) {
    for (let waited = 0; waited < PATIENCE; waited += POLL) {
      const pids = readFileSync(join(cgroup, 'cgroup.procs'), 'utf8').match(/\d+/g) ?? []
      if (pids.length === 0) break
      await Promise.all(pids.map((pid) => kill(Number(pid))))
      await pause(POLL)
    }
    rmdirSync(cgroup)
  }
}
