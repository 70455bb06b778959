import { globSync, readFileSync } from 'node:fs'

/** The kernel's, on every Linux that Node runs on. */
const TICKS_A_SECOND = 100
const UTIME = 11
const CUTIME = 13

/** Seconds of a core that the process has used, and its threads. */
export function processorTime(pid: number): number {
  const [user = 0, system = 0] = ticksOf(pid, UTIME)
  return (user + system) / TICKS_A_SECOND
}

/** The same of a process and all that it started, those that have ended included. */
export function processorTimeOfAll(parent: number): number {
  const children = globSync(`/proc/${parent}/task/*/children`).flatMap((file) =>
    readFileSync(file, 'utf8').split(' ').filter(Boolean).map(Number),
  )
  const [user = 0, system = 0] = ticksOf(parent, CUTIME)
  const own = processorTime(parent) + (user + system) / TICKS_A_SECOND
  return children.reduce((sum, pid) => sum + processorTime(pid), own)
}

/** Bytes, at most ever. */
export function mostMemory(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? NaN) * 1024
}

function ticksOf(pid: number, from: number): number[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name stands in brackets and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields.slice(from, from + 2).map(Number)
}
