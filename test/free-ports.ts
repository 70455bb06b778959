/**
 * Ports to give to a program that listens some seconds later. Not from the range that the kernel takes those of
 * connections from: one of these may have the port by then, and nobody can listen there as long as it lasts.
 */

import { randomInt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'

const LOWEST = 20_000
const TRIES = 100

/** So many that follow one another, all free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const limit = firstOfConnections()
  for (let nth = 0; nth < TRIES; nth++) {
    const first = randomInt(LOWEST, limit - count)
    const ports = Array.from({ length: count }, (_, at) => first + at)
    const free = await Promise.all(ports.map(isFree))
    if (!free.includes(false)) return ports
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

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)))
  })
}
