import { existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/** The directory above `path` that Mayfly's own users can't get into, if there is one. */
export function outOfReach(path: string): string | undefined {
  for (let at = dirname(path); at !== '/'; at = dirname(at)) {
    if (existsSync(at) && (statSync(at).mode & 0o001) === 0) return at
  }
  return undefined
}
