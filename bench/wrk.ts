/** wrk, on a proxy: how much it carries, how fast, and what a request costs it. */

import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'

const SECONDS = 5
const run = promisify(execFile)

export interface Throughput {
  readonly perSecond: number
  /** Milliseconds. */
  readonly p99: number
  /** Of the proxy, user and system, for one request; microseconds. */
  readonly cpu: number
}

/** wrk with one thread and 64 connections, for so many seconds, on the proxy of that pid. */
export async function load(
  url: string,
  pid: number,
  seconds = SECONDS,
): Promise<Throughput> {
  // The app's name is for HAProxy; this machine's resolver may not know that it is local.
  const { host, port } = new URL(url)
  const options = {
    '--threads': '1',
    '--connections': '64',
    '--duration': `${seconds}s`,
    '--header': `Host: ${host}`,
  }
  const args = [
    ...Object.entries(options).flat(),
    '--latency',
    `http://127.0.0.1:${port}/`,
  ]
  const before = cpuTimeOf(pid)
  const { stdout } = await run('wrk', args)
  const used = cpuTimeOf(pid) - before
  const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1])
  const [, amount, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout) ?? []
  const milliseconds = { us: 0.001, ms: 1, s: 1000 }[unit ?? 'ms'] ?? 1
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1])
  return { perSecond, p99: Number(amount) * milliseconds, cpu: used / requests }
}

/** What a process has used so far, all its threads; microseconds. */
function cpuTimeOf(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`)
  const used = tasks.map((task) =>
    Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]),
  )
  return used.reduce((sum, it) => sum + it, 0) / 1000
}
