/** All parts together: waiting for them, and ending them in an order that loses nothing. */

import { existsSync } from 'node:fs'

import { HOUR, MINUTE, pause, SECOND } from '../lib/clock.ts'
import type { DataDirectory } from './data-directory.ts'
import { runningPart } from './keep-part.ts'
import { endProcess, removeProcessFile } from './living-process.ts'
import { removePartCgroup } from './part-cgroup.ts'
import type { PartSpec } from './parts.ts'
import { Refusal } from './refusal.ts'
import { strayPart } from './strays.ts'

const POLL = 50
/** A machine may be slow, and a database have much to recover after a power cut. */
const UNTIL_TOLD = 2 * MINUTE
const IN_ALL = HOUR
/** Since what a part needs is there its keeper may not have looked, which does ten times a second. */
const KEEPER_LOOKS = SECOND
/** For what others do without. */
const PATIENCE = 5 * SECOND

export interface Waiting {
  readonly data: DataDirectory
  /** Told who is late. */
  readonly say: (sentence: string) => void
  /** Milliseconds until that is said, and said again. */
  readonly untilTold?: number
  readonly inAll?: number
}

/**
 * Whoever is late, and alive, may yet come: to end it would have it begin anew. Throws a Refusal that names
 * who is late and has ended, or has no process, and after an hour who is late; returns early when the signal aborts.
 */
export async function allReady(
  parts: readonly PartSpec[],
  { data, say, untilTold = UNTIL_TOLD, inAll = IN_ALL }: Waiting,
  signal: AbortSignal,
): Promise<void> {
  const begun = performance.now()
  const hasEnded = endsOf(data)
  const lostOf = async (some: readonly PartSpec[]) => {
    const ended = some.filter(hasEnded)
    if (ended.length > 0) await pause(KEEPER_LOOKS, signal)
    return signal.aborted ? [] : ended.filter(hasEnded)
  }
  let late = await lateOnes(parts, data, { signal, within: untilTold })
  let lost = await lostOf(late)
  const unless = async (some: readonly PartSpec[]) => {
    lost = await lostOf(some)
    return lost.length > 0
  }
  while (late.length > 0 && !signal.aborted) {
    const waited = performance.now() - begun
    if (lost.length > 0) {
      throw new Refusal(`${notReadyAfter(waited)}, and ended: ${told(lost, data)}.`)
    }
    if (waited >= inAll) {
      throw new Refusal(`${notReadyAfter(waited)}: ${told(late, data)}.`)
    }
    say(`${notReadyAfter(waited)}, and waited for: ${told(late, data)}`)
    late = await lateOnes(late, data, { signal, within: untilTold, unless })
  }
}

/** A sentence for each of these, which others do without, that is not ready soon. */
export async function lacksOf(
  parts: readonly PartSpec[],
  data: DataDirectory,
  signal: AbortSignal,
): Promise<string[]> {
  const late = await lateOnes(parts, data, { signal, within: PATIENCE })
  return late.map((part) => {
    const writer = writerFor(part, data)
    const state = writer === undefined ? 'does not serve' : `waits for ${writer}`
    return `${part.name} ${state}, so ${part.without}. See ${logFor(part, data)}`
  })
}

interface Bounds {
  readonly signal: AbortSignal
  readonly within: number
  /** It is not waited longer once this is so of those that are late. */
  readonly unless?: (late: readonly PartSpec[]) => Promise<boolean>
}

/** Which are not ready within so many milliseconds; none once the signal aborts. */
async function lateOnes(
  parts: readonly PartSpec[],
  data: DataDirectory,
  { signal, within, unless }: Bounds,
): Promise<readonly PartSpec[]> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(within)])
  let waiting = parts
  while (!signal.aborted) {
    waiting = await notReady(waiting, data)
    if (waiting.length === 0 || deadline.aborted || (await unless?.(waiting))) break
    await pause(POLL, deadline)
  }
  return signal.aborted ? [] : waiting
}

export async function isReady(part: PartSpec, data: DataDirectory): Promise<boolean> {
  const running = runningPart(data, part.name)
  return running !== undefined && (await part.isReady(running))
}

/** What reads and writes the database ends before the database does. */
export async function endParts(
  parts: readonly PartSpec[],
  data: DataDirectory,
): Promise<void> {
  await Promise.all(parts.filter((it) => !isDatabase(it)).map((it) => endPart(it, data)))
  await Promise.all(parts.filter(isDatabase).map((it) => endPart(it, data)))
}

const isDatabase = (part: PartSpec) => part.name === 'postgres'

async function endPart(part: PartSpec, data: DataDirectory): Promise<void> {
  // One that was started on a full disk could not be written down.
  const running = runningPart(data, part.name) ?? strayPart(part)
  if (running) {
    await endProcess(running, part.ends)
    if (part.endsWhole) killGroup(running.pid)
  }
  if (part.bounds) await removePartCgroup(part.bounds)
  removeProcessFile(data.processFile(part.name))
}

/** Every part leads a process group, which lasts for as long as anything in it does. */
function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

async function notReady(
  parts: readonly PartSpec[],
  data: DataDirectory,
): Promise<readonly PartSpec[]> {
  const ready = await Promise.all(parts.map((part) => isReady(part, data)))
  return parts.filter((_, at) => !ready[at])
}

/**
 * Says of a part whether it has no process, or another one than when that was first asked. One that
 * is not started yet, for it waits for what another writes, is as that one is.
 */
function endsOf(data: DataDirectory): (part: PartSpec) => boolean {
  const first = new Map<string, number>()
  return (part) => {
    const name = writerFor(part, data) ?? part.name
    const pid = runningPart(data, name)?.pid
    if (pid === undefined) return true
    if (!first.has(name)) first.set(name, pid)
    return first.get(name) !== pid
  }
}

/** Which part it waits for before it is started. */
function writerFor(part: PartSpec, data: DataDirectory): string | undefined {
  const { name, needs, neededFrom } = part
  if (needs === undefined || existsSync(needs) || runningPart(data, name))
    return undefined
  return neededFrom
}

const notReadyAfter = (waited: number) =>
  `Not ready after ${Math.round(waited / MINUTE)} minutes`

function told(parts: readonly PartSpec[], data: DataDirectory): string {
  return parts
    .map((part) => {
      const writer = writerFor(part, data)
      const why = writer === undefined ? '' : `, which waits for ${writer}`
      return `${part.name}${why} (see ${logFor(part, data)})`
    })
    .join(', ')
}

/** What says why it does not serve: one that is not started yet may have no log. */
function logFor(part: PartSpec, data: DataDirectory): string {
  return data.logFile(writerFor(part, data) ?? part.name)
}
