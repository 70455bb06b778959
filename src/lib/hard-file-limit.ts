import { readFileSync } from 'node:fs'

/**
 * How many files this process may have open, or the one of that pid, and so all that it starts. Throws
 * where there is no such process.
 */
export function hardFileLimit(process: number | 'self' = 'self'): number {
  const limits = readFileSync(`/proc/${process}/limits`, 'utf8')
  const [, hard] = /^Max open files +\S+ +(\d+)/m.exec(limits) ?? []
  return hard === undefined ? 1_000_000 : Number(hard)
}
