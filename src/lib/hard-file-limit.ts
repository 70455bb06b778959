import { readFileSync } from 'node:fs'

/**
 * How many files this process may have open, or the one of that pid, and so all that it starts. Throws
 * where there is no such process.
 */
export function hardFileLimit(process: number | 'self' = 'self'): number {
  return hardLimit('open files', process) ?? 1_000_000
}

/** How many bytes a core dump of this process may have, or of what it starts: `Infinity` or, as a rule, 0. */
export function hardCoreLimit(): number {
  return hardLimit('core file size', 'self') ?? Infinity
}

/** Undefined: there is none. */
function hardLimit(name: string, process: number | 'self'): number | undefined {
  const limits = readFileSync(`/proc/${process}/limits`, 'utf8')
  const [, hard] = new RegExp(`^Max ${name} +\\S+ +(\\d+)`, 'm').exec(limits) ?? []
  return hard === undefined ? undefined : Number(hard)
}
