/**
 * A cgroup for a part and all that it runs, so that what strangers have it do costs no more than
 * this, and so that it does not end with the login session or the service that `up` runs in. The
 * supervisor makes it, as root: the part itself may not. One with a bound of memory lies beside those of
 * the installation's regions, which have no dot in their names.
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { type Cgroups, hierarchy, presentCgroups } from '../lib/cgroup-mounts.ts'
import { pause, SECOND } from '../lib/clock.ts'
import { limitMemory } from '../lib/limit-memory.ts'
import { removeCgroup } from '../lib/remove-cgroup.ts'

export interface PartBounds {
  /** Relative to each hierarchy: `mayfly-abc123/part.git`. */
  readonly cgroup: string
  /** Bytes; left out: as much as there is. */
  readonly memory?: number
  /** Of the processors, where a region has 1. */
  readonly cpuShare: number
}

const CONTROLLERS = ['cpu', 'memory']
/** What a region has, by the kernel's own count. */
const STANDARD_SHARES = 1024
const STANDARD_WEIGHT = 100
const END_WITHIN = 5 * SECOND
const LOOK_EVERY = 10

/** Idempotent. */
export function ensurePartCgroup(bounds: PartBounds, cgroups = presentCgroups()): void {
  for (const at of directories(bounds, cgroups)) mkdirSync(at, { recursive: true })
  if (cgroups.version === 2) handDown(cgroups, bounds.cgroup)
  if (bounds.memory !== undefined) limitMemory(cgroups, bounds.cgroup, bounds.memory)
  const cpu = join(hierarchy(cgroups, 'cpu'), bounds.cgroup)
  if (cgroups.version === 1) write(cpu, 'cpu.shares', bounds.cpuShare * STANDARD_SHARES)
  else write(cpu, 'cpu.weight', bounds.cpuShare * STANDARD_WEIGHT)
}

/** Of version 2: a cgroup has the controllers that the one above hands down. */
function handDown(cgroups: Cgroups, cgroup: string): void {
  let at = hierarchy(cgroups, 'unified')
  for (const step of cgroup.split('/')) {
    for (const controller of CONTROLLERS) {
      write(at, 'cgroup.subtree_control', `+${controller}`)
    }
    at = join(at, step)
  }
}

/** With all that it starts from now on. Does nothing for a process that is gone by now. */
export function enterPartCgroup(
  pid: number,
  bounds: PartBounds,
  cgroups = presentCgroups(),
): void {
  try {
    for (const at of directories(bounds, cgroups)) write(at, 'cgroup.procs', pid)
  } catch (error) {
    if (!isGone(error)) throw error
  }
}

/** Whatever still runs in it is killed. */
export async function removePartCgroup(
  bounds: PartBounds,
  cgroups = presentCgroups(),
): Promise<void> {
  for (const at of directories(bounds, cgroups)) {
    if (!existsSync(at)) continue
    await killAll(at)
    await removeCgroup(at)
    await rmdir(dirname(at)).catch(() => undefined) // a region may be in it
  }
}

/** One may start another before it is killed itself. */
async function killAll(directory: string): Promise<void> {
  const end = performance.now() + END_WITHIN
  for (let pids = pidsIn(directory); pids.length > 0; pids = pidsIn(directory)) {
    if (performance.now() > end) throw new Error(`processes of ${directory} do not end`)
    for (const pid of pids) kill(pid)
    await pause(LOOK_EVERY)
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (!isGone(error)) throw error
  }
}

const isGone = (error: unknown) => (error as NodeJS.ErrnoException).code === 'ESRCH'

function directories({ cgroup }: PartBounds, cgroups: Cgroups): string[] {
  const roots = new Set(CONTROLLERS.map((it) => hierarchy(cgroups, it)))
  return [...roots].map((at) => join(at, cgroup))
}

function pidsIn(directory: string): number[] {
  const text = readFileSync(join(directory, 'cgroup.procs'), 'utf8')
  return text.split('\n').filter(Boolean).map(Number)
}

function write(directory: string, file: string, value: number | string): void {
  writeFileSync(join(directory, file), String(value))
}
