/**
 * Files of settings, as whoever runs the installation writes them into the data directory:
 * `sizes.json`, `manager.json`, `api.json`, `webhooks.json`. One that isn't understood is refused
 * when a part starts, and by `up` before any does: what it closes must not be open for a comma too
 * many. One that is changed while a part runs, and can't be read or isn't understood, changes nothing.
 */

import {
  chmodSync,
  existsSync,
  lstatSync,
  readFileSync,
  realpathSync,
  statSync,
} from 'node:fs'

import { SECOND } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { outOfReach } from './out-of-reach.ts'
import { Refusal } from './refusal.ts'

const FOR_ALL = 0o444

export interface SettingsFile<Settings> {
  readonly path: string
  /** Throws an error that says what is not understood. */
  readonly understand: (text: string) => Settings
  /** Where there is no file. */
  readonly usual: Settings
}

/** As the file says. A Refusal, which names it, where it can't be read or isn't understood. */
export function readSettings<Settings>(file: SettingsFile<Settings>): Settings {
  return understood(file, textOf(file))
}

/**
 * Lets the parts read it that are not root, whatever umask it was written with: a file of settings
 * has no secret. A Refusal where it lies behind a directory that they can't get into.
 */
export function letPartsRead(path: string): void {
  if (!existsSync(path)) return
  // Its own directory is open to them, by the layout.
  const isLink = lstatSync(path).isSymbolicLink()
  const locked = isLink ? outOfReach(realpathSync(path)) : undefined
  if (locked !== undefined) {
    throw new Refusal(
      `${path} can't be used: Mayfly's own users can't get into ${locked}, where it leads.`,
    )
  }
  const { mode } = statSync(path)
  if ((mode & FOR_ALL) !== FOR_ALL) chmodSync(path, mode | FOR_ALL)
}

interface Following {
  readonly log: Log
  readonly signal: AbortSignal
  /** Milliseconds from one look at the file to the next. */
  readonly every?: number
  /** Called when what the file says has been taken up. */
  readonly changed?: () => void
}

/** The settings as of now. A Refusal where the file can't be read or isn't understood at first. */
export function followSettings<Settings>(
  file: SettingsFile<Settings>,
  { log, signal, every = SECOND, changed = () => {} }: Following,
): () => Settings {
  let text = textOf(file)
  let settings = understood(file, text)
  let isMissed = false
  let lastFault: string | undefined
  // By its text: a watch, or a time stamp, can miss a change that comes with another.
  const check = setInterval(() => {
    try {
      const now = textOf(file)
      lastFault = undefined
      // An editor may take it away for a moment, before it puts another in its place.
      const isMissedNow = now === undefined && !isMissed
      isMissed = now === undefined
      if (now === text || isMissedNow) return
      text = now
      settings = understood(file, now)
    } catch (error) {
      const fault = String(error)
      if (fault !== lastFault) log.error('settings stay as they were', error)
      lastFault = fault
      return
    }
    log.info('took up new settings', { file: file.path })
    changed()
  }, every)
  signal.addEventListener('abort', () => clearInterval(check), { once: true })
  return () => settings
}

function understood<Settings>(
  file: SettingsFile<Settings>,
  text: string | undefined,
): Settings {
  try {
    return text === undefined ? file.usual : file.understand(text)
  } catch (error) {
    throw unusable(file, error)
  }
}

/** Undefined where there is no file. */
function textOf(file: SettingsFile<unknown>): string | undefined {
  try {
    return readFileSync(file.path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw unusable(file, error)
  }
}

function unusable({ path }: SettingsFile<unknown>, error: unknown): Refusal {
  const why = error instanceof Error ? error.message : String(error)
  return new Refusal(`${path} can't be used: ${why}.`)
}
