import { randomInt } from 'node:crypto'

const PORTS = { from: 10_000, below: 60_000 }

/** A dyno's own `$PORT`: any, for it has an address of its own. */
export function randomPort(): number {
  return randomInt(PORTS.from, PORTS.below)
}
