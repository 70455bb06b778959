import type { Log } from '../lib/log.ts'
import { limitsFrom } from '../model/limits-file.ts'
import { HEROKU_LIMITS, type Limits } from '../model/limits.ts'
import { followSettings, readSettings, type SettingsFile } from './settings-file.ts'

/** As `sizes.json` says, Heroku's where there is none. A Refusal where it isn't understood. */
export function readLimits(path: string): Limits {
  return readSettings(fileAt(path))
}

/** The limits as they are set now. A Refusal where the file isn't understood as it is at first. */
export function followLimits(
  path: string,
  following: { readonly log: Log; readonly signal: AbortSignal },
): () => Limits {
  return followSettings(fileAt(path), following)
}

function fileAt(path: string): SettingsFile<Limits> {
  return { path, understand: limitsFrom, usual: HEROKU_LIMITS }
}
