import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'

import type { Random } from './random.ts'

/**
 * From now on all that the product draws (ids, ports, jitter) comes from the seed, until what
 * is returned is called. For the whole process: a simulation is alone in it. It is done here,
 * to Node, so that nothing of the product has to know that it may be simulated.
 */
export function drawFrom(random: Random): () => void {
  const { randomUUID, randomInt } = crypto
  const mathRandom = Math.random
  put({
    randomUUID: () => uuidFrom(random),
    randomInt: (least: number, limit: number) => random.whole(least, limit),
  })
  Math.random = () => random.next()
  return () => {
    put({ randomUUID, randomInt })
    Math.random = mathRandom
  }
}

function put(functions: object): void {
  Object.assign(crypto, functions)
  syncBuiltinESMExports()
}

function uuidFrom(random: Random): string {
  const digits = Array.from({ length: 32 }, () => random.whole(0, 16).toString(16)).join(
    '',
  )
  return digits.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5')
}
