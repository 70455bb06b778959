/** All parts together: waiting for them, and ending them in an order that loses nothing. */

import { MINUTE, pause, SECOND } from '../lib/clock.ts'
import type { DataDirectory } from './data-directory.ts'
import { runningPart } from './keep-part.ts'
import { endProcess, removeProcessFile } from './living-process.ts'
import { removePartCgroup } from './part-cgroup.ts'
import type { PartSpec } from './parts.ts'
import { Refusal } from './refusal.ts'
import { strayPart } from './strays.ts'

const POLL = 50
const DEADLINE = 2 * MINUTE
/** For what others do without. */
const PATIENCE = 5 * SECOND

/** Throws a Refusal that names what is not ready by the deadline; returns early when the signal aborts. */
export async function allReady(
  parts: readonly PartSpec[],
  data: DataDirectory,
  signal: AbortSignal,
): Promise<void> {
  const late = await lateOnes(parts, data, { signal, within: DEADLINE })
  if (late.length > 0) throw tooLate(late, data)
}

/** A sentence for each of these, which others do without, that is not ready soon. */
export async function lacksOf(
  parts: readonly PartSpec[],
  data: DataDirectory,
  signal: AbortSignal,
): Promise<string[]> {
  const late = await lateOnes(parts, data, { signal, within: PATIENCE })
  return late.map(
    ({ name, without }) =>
      `${name} does not serve, so ${without}. See ${data.logFile(name)}`,
  )
}

/** Which are not ready within so many milliseconds; none once the signal aborts. */
async function lateOnes(
  parts: readonly PartSpec[],
  data: DataDirectory,
  { signal, within }: { readonly signal: AbortSignal; readonly within: number },
): Promise<readonly PartSpec[]> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(within)])
  let waiting = parts
  while (!signal.aborted) {
    waiting = await notReady(waiting, data)
    if (waiting.length === 0 || deadline.aborted) break
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

function tooLate(parts: readonly PartSpec[], data: DataDirectory): Refusal {
  const names = parts.map((it) => it.name).join(', ')
  return new Refusal(
    `Not ready after ${DEADLINE / MINUTE} minutes: ${names}. See ${data.programLogs}.`,
  )
}
