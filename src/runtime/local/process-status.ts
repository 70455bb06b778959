/** What /proc says of a process. */

import { readFileSync } from 'node:fs'

export interface ProcessStatus {
  readonly state: string
  /** Clock ticks from the boot of the machine to the start of the process. */
  readonly ticks: number
}

const STATE = 0
const START_TIME = 19

/** `text` of /proc/<pid>/stat; the name in it may contain anything, brackets too. */
export function processStatusIn(text: string): ProcessStatus {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { state: fields[STATE] ?? '', ticks: Number(fields[START_TIME]) }
}

/** Undefined when there is no such process, or only what its parent has yet to bury. */
export function processStatus(pid: number): ProcessStatus | undefined {
  const text = procFile(pid, 'stat')
  if (!text) return undefined
  const status = processStatusIn(text)
  return status.state === 'Z' || status.state === 'X' ? undefined : status
}

/** Whether the task, a process or a thread, runs or waits for a processor. */
export function isRunnable(task: number): boolean {
  return processStatus(task)?.state === 'R'
}

/** Whether the process is one of what the words say: all are in its command line. */
export function runsWith(pid: number, ...words: readonly string[]): boolean {
  const line = procFile(pid, 'cmdline')
  return words.every((word) => line.includes(word))
}

/** Sends the signal; a process that is gone needs none. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}

function procFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return ''
    throw error
  }
}
