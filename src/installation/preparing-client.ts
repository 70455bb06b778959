import { createHash } from 'node:crypto'

import { Client } from 'pg'

import { SECOND } from '../lib/clock.ts'

const FIRST_PLANS = SECOND / 4
const LONGEST_PLANS = 10 * SECOND

/**
 * Has the server plan a statement once for each connection, not each time: planning takes
 * longer than most of them take to run. pg prepares what has a name, so every statement with
 * parameters gets one of its text.
 *
 * A plan made while a table is small would be kept while it grows to where another is better
 * by far: so plans are made anew, often at first.
 */
export class PreparingClient extends Client {
  plannedAt = performance.now()
  plansLast = FIRST_PLANS
}

PreparingClient.prototype.query = function query(
  this: PreparingClient,
  text: unknown,
  values?: unknown,
  ...callback: unknown[]
): unknown {
  const ask = Client.prototype.query.bind(this) as (...args: unknown[]) => unknown
  if (typeof text !== 'string' || !Array.isArray(values)) {
    return ask(text, values, ...callback)
  }
  const statement = { name: nameOf(text), text, values: values as unknown[] }
  if (performance.now() - this.plannedAt <= this.plansLast) {
    return ask(statement, ...callback)
  }
  this.plannedAt = performance.now()
  this.plansLast = Math.min(2 * this.plansLast, LONGEST_PLANS)
  // Its answer comes first: pg is to lose its queue. What fails there, as in a transaction that has failed, fails
  // with what is asked next.
  if (callback.length > 0) return ask('discard plans', () => ask(statement, ...callback))
  return new Promise((resolve) => {
    ask('discard plans', () => resolve(ask(statement)))
  })
} as Client['query']

const names = new Map<string, string>()

function nameOf(text: string): string {
  const known = names.get(text)
  if (known !== undefined) return known
  const name = createHash('sha256').update(text).digest('hex').slice(0, 32)
  names.set(text, name)
  return name
}
