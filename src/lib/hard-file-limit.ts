import { readFileSync } from 'node:fs'

/** How many files this process may have open, and so all that it starts. */
export function hardFileLimit(): number {
  const limits = readFileSync('/proc/self/limits', 'utf8')
  const [, hard] = /^Max open files +\S+ +(\d+)/m.exec(limits) ?? []
  return hard === undefined ? 1_000_000 : Number(hard)
}
