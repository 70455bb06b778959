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

/** Whether the process is one of what the words say: all are in its command line. */
export function runsWith(pid: number, ...words: readonly string[]): boolean {
  const line = procFile(pid, 'cmdline')
  return words.every((word) => line.includes(word))
}

/** Whether a process in the same network namespace listens where others reach it. */
export function listensOn(pid: number, port: number): boolean {
  return (
    listenersIn(procFile(pid, 'net/tcp')).some(
      (it) => it.port === port && !isLoopback4(it.address),
    ) ||
    listenersIn(procFile(pid, 'net/tcp6')).some(
      (it) => it.port === port && takesIpv4(it.address),
    )
  )
}

const LISTEN = '0A'

/** `text` of /proc/<pid>/net/tcp or tcp6; addresses as there. */
export function listenersIn(text: string): { address: string; port: number }[] {
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === LISTEN)
    .map((fields) => {
      const [address = '', port = ''] = (fields[1] ?? '').split(':')
      return { address, port: Number.parseInt(port, 16) }
    })
}

/** Words of 32 bits in the machine's own order: little-endian on all that we run on. */
function isLoopback4(address: string): boolean {
  return address.endsWith('7F')
}

/** `::`, or an IPv4 address within IPv6 that is not loopback. */
function takesIpv4(address: string): boolean {
  if (/^0{32}$/.test(address)) return true
  return /^0{16}FFFF0000/.test(address) && !isLoopback4(address)
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
    // What ends while it is read says EINVAL for its network, or ESRCH.
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EINVAL') return ''
    throw error
  }
}
