import { existsSync, readFileSync } from 'node:fs'

import { SECOND } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { limitsFrom } from '../model/limits-file.ts'
import { HEROKU_LIMITS, type Limits } from '../model/limits.ts'
import { Refusal } from './refusal.ts'

/** As `sizes.json` says, Heroku's where there is none. A Refusal where it isn't understood. */
export function readLimits(file: string): Limits {
  return understood(file, textOf(file))
}

/**
 * The limits as they are set now: the file is read again when it changes. One that isn't
 * understood is refused at first; later it is reported, and changes nothing.
 */
export function followLimits(
  file: string,
  { log, signal }: { readonly log: Log; readonly signal: AbortSignal },
): () => Limits {
  let text = textOf(file)
  let limits = understood(file, text)
  const check = setInterval(() => {
    const now = textOf(file)
    if (now === text) return
    text = now
    try {
      limits = understood(file, text)
      log.info('took up new sizes and limits')
    } catch (error) {
      log.error('sizes and limits stay as they were', error)
    }
  }, SECOND)
  signal.addEventListener('abort', () => clearInterval(check), { once: true })
  return () => limits
}

function textOf(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

function understood(file: string, text: string | undefined): Limits {
  if (text === undefined) return HEROKU_LIMITS
  try {
    return limitsFrom(text)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Refusal(`${file} can't be used: ${why}.`)
  }
}
