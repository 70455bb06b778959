/** What /proc says of a process. */

import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { open } from 'node:fs/promises'

export interface ProcessStatus {
  readonly state: string
  /** Clock ticks from the boot of the machine to the start of the process. */
  readonly ticks: number
}

const STATE = 0
const START_TIME = 19
/** Bytes of a file that are read. Whose a process is stands there, and a dyno's has megabytes of arguments if it likes. */
const FRONT = 4096

/** `text` of /proc/<pid>/stat; the name in it may contain anything, brackets too. */
export function processStatusIn(text: string): ProcessStatus {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { state: fields[STATE] ?? '', ticks: Number(fields[START_TIME]) }
}

/** Undefined when there is no such process, or only what its parent has yet to bury. */
export function processStatus(pid: number): ProcessStatus | undefined {
  return statusOf(`${pid}`)
}

/**
 * Whether the task, a process or a thread, runs or waits for a processor. By the shorter path the kernel
 * would sum up all threads of its process to answer for one.
 */
export function isRunnable(task: number): boolean {
  return statusOf(`${task}/task/${task}`)?.state === 'R'
}

function statusOf(task: string): ProcessStatus | undefined {
  const text = procFile(`${task}/stat`)
  if (!text) return undefined
  const status = processStatusIn(text)
  return status.state === 'Z' || status.state === 'X' ? undefined : status
}

/** Whether the process is one of what the words say: all are at the front of its command line. */
export function runsWith(pid: number, ...words: readonly string[]): boolean {
  const line = procFile(`${pid}/cmdline`)
  return words.every((word) => line.includes(word))
}

/** The same of what may be a dyno's: while such a process forks, whoever reads its command line waits. */
export async function dynoRunsWith(pid: number, word: string): Promise<boolean> {
  try {
    const file = await open(`/proc/${pid}/cmdline`)
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(FRONT), 0, FRONT)
      return buffer.toString('utf8', 0, bytesRead).includes(word)
    } finally {
      await file.close()
    }
  } catch (error) {
    nothingIfGone(error)
    return false
  }
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

function procFile(name: string): string {
  try {
    const file = openSync(`/proc/${name}`, 'r')
    try {
      const front = Buffer.alloc(FRONT)
      return front.toString('utf8', 0, readSync(file, front))
    } finally {
      closeSync(file)
    }
  } catch (error) {
    return nothingIfGone(error)
  }
}

function nothingIfGone(error: unknown): '' {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ESRCH') return ''
  throw error
}
