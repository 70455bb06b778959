/**
 * The manager's settings: Heroku's timings, unless `manager.json` in the data directory
 * says otherwise, and how much memory is promised to dynos. The file is read again whenever
 * it changes; one that can't be understood is reported and changes nothing.
 *
 * `clockOffset` moves the manager's clock, so that tests need not wait a day for a cycle.
 */

import { existsSync, readFileSync } from 'node:fs'

import { type Clock, later, systemClock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { isOciRuntime, OCI_RUNTIMES, type OciRuntimeName } from '../model/oci-runtimes.ts'
import { HEROKU_TIMINGS, type Timings } from '../model/timings.ts'

export interface Settings {
  readonly clock: Clock
  /** Milliseconds that it is ahead of the machine's. */
  readonly ahead: () => number
  readonly timings: () => Timings
  /** How much of the machine's memory is promised to dynos; 1: all but the reserve. */
  readonly memoryFactor: () => number
  /** What makes the containers of a region's next dynos. */
  readonly ociRuntime: (region: string) => OciRuntimeName
}

interface Written extends Timings {
  /** Milliseconds that the manager's clock is ahead. */
  readonly clockOffset: number
  readonly memoryFactor: number
  /** By region; crun where it is left out. */
  readonly ociRuntimes: Readonly<Record<string, OciRuntimeName>>
}

const DEFAULTS: Written = {
  ...HEROKU_TIMINGS,
  clockOffset: 0,
  memoryFactor: 1,
  ociRuntimes: {},
}
const CHECK_EVERY = 200

export function settingsFrom(
  file: string,
  { log, changed, signal }: { log: Log; changed: () => void; signal: AbortSignal },
): Settings {
  let text = textOf(file)
  let written = take(text, DEFAULTS, log)
  // By its text: a watch, or a time stamp, can miss a change that comes with another.
  const check = setInterval(() => {
    const now = textOf(file)
    if (now === text) return
    text = now
    written = take(text, written, log)
    changed()
  }, CHECK_EVERY)
  signal.addEventListener('abort', () => clearInterval(check), { once: true })
  return {
    clock: { now: () => later(systemClock.now(), written.clockOffset) },
    ahead: () => written.clockOffset,
    timings: () => written,
    memoryFactor: () => written.memoryFactor,
    ociRuntime: (region) => written.ociRuntimes[region] ?? 'crun',
  }
}

function textOf(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

function take(text: string | undefined, before: Written, log: Log): Written {
  if (text === undefined) return DEFAULTS
  try {
    return understood(JSON.parse(text))
  } catch (error) {
    log.error('cannot use manager.json; the settings stay as they were', error)
    return before
  }
}

function understood(json: unknown): Written {
  if (typeof json !== 'object' || json === null) throw new TypeError('not an object')
  for (const [key, value] of Object.entries(json)) {
    if (!(key in DEFAULTS)) throw new TypeError(`there is no setting ${key}`)
    if (key === 'ociRuntimes') {
      mustNameRuntimes(value)
      continue
    }
    if (typeof value !== 'number' || !(value >= 0)) {
      const what = key === 'memoryFactor' ? 'a number' : 'a number of milliseconds'
      throw new TypeError(`${key} must be ${what}, not negative`)
    }
  }
  return { ...DEFAULTS, ...json }
}

function mustNameRuntimes(value: unknown): void {
  const isObject = typeof value === 'object' && value !== null
  if (isObject && Object.values(value).every(isOciRuntime)) return
  const all = OCI_RUNTIMES.join(', ')
  throw new TypeError(`ociRuntimes must have one of ${all} for each region it names`)
}
