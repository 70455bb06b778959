/**
 * What an app's owner may decide about its routing by config vars. It is read when a release is
 * made, for the router cannot open config vars. docs/operating/routing.md says the same.
 */

import { SECOND } from '../lib/clock.ts'
import type { ConfigVars } from './release.ts'

export interface AppRouting {
  /** URLs of pages that are shown in place of the router's own. */
  readonly errorPage?: string
  readonly maintenancePage?: string
  /** Milliseconds of silence: of a dyno that was asked, and of a connection after an upgrade. */
  readonly responseTimeout?: number
  readonly idleTimeout?: number
}

/** Null: nothing. */
export function appRouting(configVars: ConfigVars): AppRouting | null {
  const found = Object.entries(settings).flatMap(([name, { as, parse }]) => {
    const value = parse(configVars[name] ?? '')
    return value === undefined ? [] : [[as, value] as const]
  })
  return found.length > 0 ? Object.fromEntries(found) : null
}

/** For `config:set`: what is wrong with a setting among the config vars, in a sentence. */
export function faultOfAppRouting(configVars: ConfigVars): string | undefined {
  for (const [name, { parse, wanted }] of Object.entries(settings)) {
    const text = configVars[name]
    if (text !== undefined && text !== '' && parse(text) === undefined)
      return `${name} must be ${wanted}.`
  }
  return undefined
}

interface Setting {
  readonly as: keyof AppRouting
  readonly parse: (text: string) => string | number | undefined
  /** Ends the sentence that says what is wrong with a value. */
  readonly wanted: string
}

const PAGE = { parse: parsePage, wanted: 'the http or https URL of a page' }
/** Of an app's own time-outs. Milliseconds. */
export const LONGEST_OF_APPS = 600 * SECOND

const TIMEOUT = {
  parse: parseSeconds,
  wanted: `a whole number of seconds from 1 to ${LONGEST_OF_APPS / SECOND}`,
}

const settings: Readonly<Record<string, Setting>> = {
  ERROR_PAGE_URL: { as: 'errorPage', ...PAGE },
  MAINTENANCE_PAGE_URL: { as: 'maintenancePage', ...PAGE },
  MAYFLY_RESPONSE_TIMEOUT: { as: 'responseTimeout', ...TIMEOUT },
  MAYFLY_IDLE_TIMEOUT: { as: 'idleTimeout', ...TIMEOUT },
}

/** Of what a browser would make of it: a letter that is not ASCII takes up to nine there. */
const LONGEST_URL = 2000

/** As a browser would have it; `//host/page` is taken for either scheme, as Heroku does. */
function parsePage(text: string): string | undefined {
  if (text.length > LONGEST_URL || !/^(https?:)?\/\/[^/]/i.test(text)) return undefined
  const given = text.startsWith('//') ? `https:${text}` : text
  if (!URL.canParse(given)) return undefined
  const { href } = new URL(given)
  if (href.length > LONGEST_URL) return undefined
  return text.startsWith('//') ? href.slice('https:'.length) : href
}

function parseSeconds(text: string): number | undefined {
  if (!/^\d{1,3}$/.test(text)) return undefined
  const seconds = Number(text)
  return seconds >= 1 && seconds * SECOND <= LONGEST_OF_APPS
    ? seconds * SECOND
    : undefined
}
