/**
 * Files of settings, as whoever runs the installation writes them into the data directory:
 * `sizes.json`, `manager.json`, `api.json`, `webhooks.json`. One that isn't understood is refused
 * when a part starts, and by `up` before any does: what it closes must not be open for a comma too
 * many. One that is changed while a part runs, and isn't understood, changes nothing.
 */

import { existsSync, readFileSync } from 'node:fs'

import { SECOND } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { Refusal } from './refusal.ts'

export interface SettingsFile<Settings> {
  readonly path: string
  /** Throws an error that says what is not understood. */
  readonly understand: (text: string) => Settings
  /** Where there is no file. */
  readonly usual: Settings
}

/** As the file says. A Refusal, which names it, where it isn't understood. */
export function readSettings<Settings>(file: SettingsFile<Settings>): Settings {
  try {
    const text = textOf(file)
    return text === undefined ? file.usual : file.understand(text)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Refusal(`${file.path} can't be used: ${why}.`)
  }
}

interface Following {
  readonly log: Log
  readonly signal: AbortSignal
  /** Milliseconds from one look at the file to the next. */
  readonly every?: number
  /** Called when what the file says has been taken up. */
  readonly changed?: () => void
}

/** The settings as of now. A Refusal where the file isn't understood as it is at first. */
export function followSettings<Settings>(
  file: SettingsFile<Settings>,
  { log, signal, every = SECOND, changed = () => {} }: Following,
): () => Settings {
  let text = textOf(file)
  let settings = readSettings(file)
  let isMissed = false
  // By its text: a watch, or a time stamp, can miss a change that comes with another.
  const check = setInterval(() => {
    try {
      const now = textOf(file)
      // An editor may take it away for a moment, before it puts another in its place.
      const isMissedNow = now === undefined && !isMissed
      isMissed = now === undefined
      if (now === text || isMissedNow) return
      text = now
      settings = readSettings(file)
    } catch (error) {
      log.error('settings stay as they were', error)
      return
    }
    log.info('took up new settings', { file: file.path })
    changed()
  }, every)
  signal.addEventListener('abort', () => clearInterval(check), { once: true })
  return () => settings
}

function textOf({ path }: SettingsFile<unknown>): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}
