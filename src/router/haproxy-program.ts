/** What is asked of the machine for the router: the program itself, and what it may use. */

import { execFile } from 'node:child_process'
import { networkInterfaces } from 'node:os'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Letters of what HAProxy says of a configuration. */
const MOST_WORDS = 2000

/** Throws with HAProxy's own words if it would not start from this file. */
export async function checkConfig(path: string): Promise<void> {
  const faults = await faultsOf(path)
  if (faults !== undefined) throw new Error(`HAProxy refuses ${path}: ${faults}`)
}

async function faultsOf(path: string): Promise<string | undefined> {
  try {
    await run('haproxy', ['-c', '-f', path])
    return undefined
  } catch (error) {
    const { stderr = '' } = error as { readonly stderr?: string }
    const faults = faultsIn(stderr)
    if (faults === '') throw new Error(`HAProxy cannot check ${path}`, { cause: error })
    return faults
  }
}

/** What it says beside is no reason, or of itself: which version it is, say. */
function faultsIn(stderr: string): string {
  const lines = stderr.split('\n').map((it) => it.trimEnd())
  const faults = lines.filter((it) => it !== '' && !/^\[(NOTICE|WARNING)\]/.test(it))
  return faults.join('\n').slice(0, MOST_WORDS)
}

/**
 * How many a hard limit of `files` allows: a client's takes two, its own and its dyno's.
 * HAProxy does not start when it cannot have as many files as it may need.
 */
export function maxConnections(files: number): number {
  return Math.max(100, Math.min(50_000, Math.floor((files - 500) / 2)))
}

/** Whether the machine speaks IPv6. It takes milliseconds where there are a hundred dynos' links. */
export function hasIpv6(): boolean {
  const addresses = Object.values(networkInterfaces()).flatMap((it) => it ?? [])
  return addresses.some((it) => it.family === 'IPv6')
}

/**
 * Names under `localhost` are this machine's own and asked for from nowhere else. A socket for both kinds of
 * addresses would tell dynos of `::ffff:192.0.2.1` where a client comes from `192.0.2.1`.
 */
export function listenAddresses(domain: string, port: number, six: boolean): string[] {
  if (domain === 'localhost' || domain.endsWith('.localhost')) {
    return [`127.0.0.1:${port}`, ...(six ? [`[::1]:${port}`] : [])]
  }
  return [`*:${port}`, ...(six ? [`:::${port} v6only`] : [])]
}
