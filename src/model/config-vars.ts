import { HEROKU_LIMITS } from './limits.ts'
import type { ConfigVars } from './release.ts'

/** What to set, and with null what to remove. */
export type ConfigChanges = Readonly<Record<string, string | null>>

/** Letters: a build has each as a file of this name. */
const LONGEST_NAME = 255

/** What is wrong with the changes, in a sentence; undefined if nothing is. `most`: bytes. */
export function faultOfConfig(
  changes: ConfigChanges,
  result: ConfigVars,
  most: number = HEROKU_LIMITS.configVars,
): string | undefined {
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) continue
    if (!/^[A-Za-z_]\w*$/.test(key) || key.startsWith('__')) {
      return `${key} is no config var name: only letters, digits and underscores, not beginning with a digit or two underscores.`
    }
    if (key.length > LONGEST_NAME) {
      return `The name of a config var has at most ${LONGEST_NAME} letters.`
    }
    if (value.includes('\0')) return `The value of ${key} contains a NUL byte.`
  }
  const bytes = Object.entries(result).reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value),
    0,
  )
  if (bytes > most) {
    return `Config vars together may have at most ${Math.floor(most / 1024)} KB.`
  }
  return undefined
}

/** The config vars with the changes made, and the keys that are different now. */
export function changedConfig(
  present: ConfigVars,
  changes: ConfigChanges,
): { readonly vars: ConfigVars; readonly set: string[]; readonly removed: string[] } {
  const vars = new Map(Object.entries(present))
  const set: string[] = []
  const removed: string[] = []
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) {
      if (vars.delete(key)) removed.push(key)
      continue
    }
    if (vars.get(key) !== value) set.push(key)
    vars.set(key, value)
  }
  return { vars: Object.fromEntries(vars), set, removed }
}

/** `Set FOO, BAR config vars`: the description of the release that the change makes. */
export function describeConfig(
  set: readonly string[],
  removed: readonly string[],
): string {
  if (removed.length === 0) return `Set ${set.join(', ')} config vars`
  if (set.length === 0) return `Remove ${removed.join(', ')} config vars`
  return `Set ${set.join(', ')}, remove ${removed.join(', ')} config vars`
}
