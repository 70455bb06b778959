/**
 * Ports to give to a program that listens some seconds later. Not from the range that the kernel takes those of
 * connections from: one of these may have the port by then, and nobody can listen there as long as it lasts. Nor
 * those that another test was given: each claims its own.
 */

import { randomInt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'

import { claim } from './claim.ts'

const LOWEST = 20_000
const TRIES = 100

/** So many that follow one another, all free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const limit = firstOfConnections()
  for (let nth = 0; nth < TRIES; nth++) {
    const first = randomInt(LOWEST, limit - count)
    const ports = Array.from({ length: count }, (_, at) => first + at)
    if (await areOurs(ports)) return ports
  }
  throw new Error(`no ${count} ports from ${LOWEST} to ${limit} are free`)
}

export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1)
  return port
}

function firstOfConnections(): number {
  const [first] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(
    /\s/,
  )
  return Math.max(Number(first), LOWEST + 1000)
}

async function areOurs(ports: readonly number[]): Promise<boolean> {
  const claims = await Promise.all(ports.map((port) => claim(`port-${port}`)))
  const free = await Promise.all(ports.map(isFree))
  if (!claims.includes(undefined) && !free.includes(false)) return true
  for (const it of claims) it?.close()
  return false
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)))
  })
}
