/**
 * cgroups of both kinds. A dyno has two: `<id>/dyno` with its processes and limits, made by
 * crun, and `<id>/monitor` for its conmon; the cpu weight is their parent's, so that what
 * logging costs is the dyno's own. On version 1 the monitor is in the dyno's only for cpu and memory;
 * in the other hierarchies all monitors share `monitors`.
 */

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { MiB } from '../../lib/bytes.ts'
import { type Cgroups, hierarchy } from '../../lib/cgroup-mounts.ts'
import { limitMemory } from '../../lib/limit-memory.ts'
import { removeCgroup } from '../../lib/remove-cgroup.ts'
import type { DynoId } from '../../model/ids.ts'
import type { Size } from '../../model/size.ts'
import type { MemoryUse } from '../runtime.ts'
import { memoryFiguresOf } from './memory-use.ts'

const CONTROLLERS = ['cpu', 'memory', 'pids']
/** Of version 1 `blkio`. Where the kernel has it, dynos share the disk as they share the processors. */
const IO = 'io'
/** By scheduler of the disk; the first that a cgroup has. */
const IO_WEIGHTS = ['blkio.bfq.weight', 'blkio.weight', 'io.bfq.weight', 'io.weight']
const MOST_IO_WEIGHT = 1000
/** A new cgroup here admits nobody until it is told its cpus; its crun does that. */
const CPUSET = 'cpuset'
const STANDARD_SHARES = 1024
/**
 * Of a dyno's quota, what may lie in its connections' buffers: version 1 does not count that as memory. The
 * kernel gives all of the machine's an eleventh of the memory, and beyond that nobody's connection gets
 * any; this leaves a third of it to others.
 */
const IN_TCP = 1 / 16
export const TCP_LIMIT = 'memory.kmem.tcp.limit_in_bytes'
const STANDARD_WEIGHT = 100
/**
 * Of conmon's log the kernel keeps 67 MiB, where it may, and less else; a session inside a dyno takes 1.3 MiB. What does
 * not fit ends, the largest first, which is the bridge of a session: it is larger than any conmon.
 */
export const MONITOR_MEMORY = 128 * MiB

/** Whether the kernel killed something for memory: at the dyno's own limit, or because the machine had no more. */
export type MemoryKill = 'none' | 'limit' | 'host'

/** A little below the limit there may be no room for what was asked for last. */
const MARGIN = MiB

export interface DynoCgroups {
  /** As `linux.cgroupsPath` wants it. */
  readonly path: string
  /** The files a monitor writes its pid to. */
  readonly monitorProcs: readonly string[]
  ensure(size: Size): Promise<void>
  /** A part of that: a dyno begun by an earlier version has nothing yet that bounds its monitors' memory. */
  ensureMonitor(): Promise<void>
  /** To be called once the OCI runtime has made its own and nothing runs in there yet. */
  limitTcp(size: Size): void
  /** The pids in the dyno, and in its monitor's cgroup; of the host's numbering. */
  processes(): readonly number[]
  monitors(): readonly number[]
  /** The ids of the dyno's processes and all their threads. */
  tasks(): readonly number[]
  /** Undefined: it has no cgroup. */
  memoryKill(): MemoryKill | undefined
  /** Undefined: it has no cgroup. */
  readonly memoryUse: () => MemoryUse | undefined
  remove(): Promise<void>
}

/** `region`: the region's cgroup, relative to each hierarchy. */
export function dynoCgroups(cgroups: Cgroups, region: string, id: DynoId): DynoCgroups {
  const own = `${region}/${id}`
  const main = hierarchy(cgroups, 'pids')
  const cpu = hierarchy(cgroups, 'cpu')
  const memory = hierarchy(cgroups, 'memory')
  const monitor = join(cpu, own, 'monitor')
  const memoryOfMonitor = join(memory, own, 'monitor')
  const shared = cgroups.version === 2 ? [] : sharedMonitors(cgroups, region)

  return {
    path: `/${own}/dyno`,
    monitorProcs: [...new Set([monitor, memoryOfMonitor, ...shared])].map((directory) =>
      join(directory, 'cgroup.procs'),
    ),
    async ensure(size) {
      await mkdir(monitor, { recursive: true })
      await this.ensureMonitor()
      await weigh(join(cpu, own), size)
      const io = cgroups.hierarchies.get(cgroups.version === 2 ? 'unified' : 'blkio')
      if (io !== undefined) await weighIo(join(io, own), size)
    },
    async ensureMonitor() {
      await mkdir(memoryOfMonitor, { recursive: true })
      if (cgroups.version === 2) {
        await writeFile(join(memory, own, 'cgroup.subtree_control'), '+memory')
      }
      limitMemory(cgroups, `${own}/monitor`, MONITOR_MEMORY)
    },
    limitTcp({ memory: quota }) {
      const file = join(hierarchy(cgroups, 'memory'), own, 'dyno', TCP_LIMIT)
      // Runtimes know of it no more: runc ignores it.
      if (existsSync(file)) writeFileSync(file, String(Math.floor(quota * IN_TCP)))
    },
    processes: () => pidsIn(join(main, own, 'dyno')),
    monitors: () => pidsIn(monitor),
    tasks: () =>
      pidsIn(join(main, own, 'dyno'), cgroups.version === 2 ? 'cgroup.threads' : 'tasks'),
    memoryKill: () => memoryKill(cgroups, join(own, 'dyno')),
    memoryUse() {
      const at = join(hierarchy(cgroups, 'memory'), own, 'dyno')
      const figures = memoryFiguresOf(at, cgroups.version)
      const kill = memoryKill(cgroups, join(own, 'dyno'))
      return figures && { ...figures, outOfMemory: kill === 'limit' || kill === 'host' }
    },
    async remove() {
      const roots = new Set([...cgroups.hierarchies.values()].map((at) => join(at, own)))
      await Promise.all([...roots].map(removeCgroup))
    },
  }

  async function weigh(directory: string, { cpuShare }: Size): Promise<void> {
    if (cgroups.version === 1) {
      const shares = String(cpuShare * STANDARD_SHARES)
      return writeFile(join(directory, 'cpu.shares'), shares)
    }
    await writeFile(join(directory, 'cpu.weight'), String(cpuShare * STANDARD_WEIGHT))
  }
}

async function weighIo(directory: string, { cpuShare }: Size): Promise<void> {
  await mkdir(directory, { recursive: true })
  const weight = Math.min(cpuShare * STANDARD_WEIGHT, MOST_IO_WEIGHT)
  const file = IO_WEIGHTS.map((it) => join(directory, it)).find((it) => existsSync(it))
  if (file !== undefined) await writeFile(file, String(weight))
}

/** What all dynos of a region need. `memory`: bytes for those of all regions together. Idempotent. */
export async function prepareCgroups(
  cgroups: Cgroups,
  region: string,
  memory: number,
): Promise<void> {
  if (cgroups.version === 1) {
    for (const at of sharedMonitors(cgroups, region)) await mkdir(at, { recursive: true })
  } else await handDown(cgroups, region)
  await limitTogether(cgroups, region, memory)
}

async function handDown(cgroups: Cgroups, region: string): Promise<void> {
  let at = hierarchy(cgroups, 'unified')
  for (const step of ['', ...region.split('/')]) {
    at = join(at, step)
    await mkdir(at, { recursive: true })
    const hasIo = /\bio\b/.test(textOrNothing(join(at, 'cgroup.controllers')))
    for (const controller of hasIo ? [...CONTROLLERS, IO] : CONTROLLERS) {
      writeFileSync(join(at, 'cgroup.subtree_control'), `+${controller}`)
    }
  }
}

/**
 * Each dyno may have more than its quota, and all of them more than there is: that they find
 * the end of it among themselves, and the host none, is this limit's. None on swap: each dyno has its own.
 */
async function limitTogether(
  cgroups: Cgroups,
  region: string,
  memory: number,
): Promise<void> {
  const at = join(hierarchy(cgroups, 'memory'), installationOf(region))
  await mkdir(at, { recursive: true })
  const file = cgroups.version === 1 ? 'memory.limit_in_bytes' : 'memory.max'
  try {
    await writeFile(join(at, file), String(Math.floor(memory)))
  } catch (error) {
    // Of version 1, where those that run have more already, as after an update: it holds from a later start on.
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error
  }
}

function installationOf(region: string): string {
  return region.split('/')[0] ?? region
}

/** Removes a region's cgroups; its processes are gone. */
export async function removeCgroups(cgroups: Cgroups, region: string): Promise<void> {
  const roots = new Set(cgroups.hierarchies.values())
  for (const at of roots) {
    await removeCgroup(join(at, region))
    const installation = join(at, installationOf(region))
    await rmdir(installation).catch(() => undefined) // another region's may be in it
  }
}

/** Every pid in a region's cgroups. */
export function processesUnder(cgroups: Cgroups, region: string): readonly number[] {
  const main = join(hierarchy(cgroups, 'pids'), region)
  const cpu = join(hierarchy(cgroups, 'cpu'), region)
  return [...new Set([...pidsUnder(main), ...pidsUnder(cpu)])]
}

function sharedMonitors(cgroups: Cgroups, region: string): string[] {
  const others = new Set(
    [...cgroups.hierarchies].filter(([name]) => name !== CPUSET).map(([, at]) => at),
  )
  for (const it of ['cpu', 'memory']) others.delete(hierarchy(cgroups, it))
  return [...others].map((at) => join(at, region, 'monitors'))
}

/** The kernel counts a kill where the process was, wherever the memory ran out. */
function memoryKill(cgroups: Cgroups, path: string): MemoryKill | undefined {
  const at = join(hierarchy(cgroups, 'memory'), path)
  const text = (file: string) => textOrNothing(join(at, file))
  const events = text(cgroups.version === 1 ? 'memory.oom_control' : 'memory.events')
  if (events === '') return undefined
  if (!/^oom_kill [1-9]/m.test(events)) return 'none'
  if (cgroups.version === 2) return /^oom [1-9]/m.test(events) ? 'limit' : 'host'
  // Version 1 tells how much there was at most, also of what could be dropped again; its failcnt misses kills.
  const reached = ['memory', 'memory.memsw'].some((it) => {
    const most = Number(text(`${it}.max_usage_in_bytes`))
    return most > 0 && most + MARGIN >= Number(text(`${it}.limit_in_bytes`))
  })
  return reached ? 'limit' : 'host'
}

function pidsIn(directory: string, file = 'cgroup.procs'): number[] {
  const text = textOrNothing(join(directory, file))
  return text.split('\n').filter(Boolean).map(Number)
}

function pidsUnder(directory: string): number[] {
  let entries
  try {
    entries = readdirSync(directory, { withFileTypes: true })
  } catch {
    return []
  }
  const below = entries.filter((entry) => entry.isDirectory())
  return [
    ...pidsIn(directory),
    ...below.flatMap(({ name }) => pidsUnder(join(directory, name))),
  ]
}

function textOrNothing(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENODEV') return ''
    throw error
  }
}
