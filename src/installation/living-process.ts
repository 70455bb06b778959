/**
 * A process that outlives whoever started it, and is found again. A pid alone is not
 * enough, for pids are used again; a pid and the moment it began are.
 */

import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'

import { pause } from '../lib/clock.ts'

export interface LivingProcess {
  readonly pid: number
  /** Clock ticks since the machine's boot. */
  readonly startTicks: number
}

/** Undefined when there is no such process, or only its unread exit status. */
export function processOf(pid: number): LivingProcess | undefined {
  const fields = readStat(pid)
  if (!fields || fields[0] === 'Z' || fields[0] === 'X') return undefined
  return { pid, startTicks: Number(fields[19]) }
}

/** Undefined when the process is gone. */
export function parentOf(pid: number): number | undefined {
  const fields = readStat(pid)
  return fields && Number(fields[1])
}

/** Gids; none when the process is gone. */
export function groupsOfProcess(pid: number): Set<number> {
  const text = readProc(pid, 'status') ?? ''
  const lines = [/^Gid:\t\d+\t(\d+)/m, /^Groups:\t(.*)/m].map((it) => it.exec(text)?.[1])
  return new Set(lines.flatMap((it) => it?.match(/\d+/g) ?? []).map(Number))
}

export function isAlive(it: LivingProcess): boolean {
  return processOf(it.pid)?.startTicks === it.startTicks
}

/** False when it is not there any more. */
export function sendSignal(it: LivingProcess, signal: NodeJS.Signals): boolean {
  if (!isAlive(it)) return false
  try {
    return process.kill(it.pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

/** Asks with `signal`; after `patience` milliseconds kills. Resolves once it is gone. */
export async function endProcess(
  it: LivingProcess,
  { signal, patience }: { readonly signal: NodeJS.Signals; readonly patience: number },
): Promise<void> {
  sendSignal(it, signal)
  for (let waited = 0; isAlive(it); waited += POLL) {
    if (waited >= patience) sendSignal(it, 'SIGKILL')
    await pause(POLL)
  }
}

const POLL = 50

/** A file that says which process; undefined when there is none or it can't be understood. */
export function readProcessFile(file: string): LivingProcess | undefined {
  try {
    const { pid, startTicks } = JSON.parse(readFileSync(file, 'utf8')) as LivingProcess
    return Number.isInteger(pid) && pid > 1 ? { pid, startTicks } : undefined
  } catch (error) {
    if (error instanceof SyntaxError || isMissing(error)) return undefined
    throw error
  }
}

export function writeProcessFile(file: string, content: LivingProcess): void {
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify(content)}\n`)
  renameSync(draft, file)
}

export function removeProcessFile(file: string): void {
  rmSync(file, { force: true })
}

/** From the state (field 3) on: the name before it may hold blanks and brackets. */
function readStat(pid: number): string[] | undefined {
  const text = readProc(pid, 'stat')
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ESRCH'
}
