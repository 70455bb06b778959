/**
 * How a dyno is asked, over HTTP, whether it is well: as its app's app.json says,
 *
 *   { "formation": { "web": { "healthcheck": { "path": "/health", "interval": 10 } } } }
 *
 * A dyno gets no requests until it has answered well once; one that then fails so many
 * times in a row is restarted. Well is any status from 200 to 399.
 */

import { SECOND } from '../lib/clock.ts'
import { isObject } from '../lib/is-object.ts'

/** Times in milliseconds. */
export interface HealthCheck {
  /** Of the GET that is sent to the dyno's $PORT. */
  readonly path: string
  /** From the beginning of one request to that of the next. */
  readonly interval: number
  /** How long an answer may take. */
  readonly timeout: number
  /** From the start of the dyno: until then a failure says only that it is not ready yet. */
  readonly grace: number
  /** In a row, for the dyno to be restarted. */
  readonly failures: number
}

/** By process type. */
export type HealthChecks = Readonly<Record<string, HealthCheck>>

export interface HealthCheckWishes {
  readonly checks: HealthChecks
  /** A sentence for each thing that was not understood and is passed over. */
  readonly faults: readonly string[]
}

interface Field {
  readonly least: number
  readonly most: number
  readonly usual: number
  /** What one of the file's is in ours. */
  readonly unit: number
}

/** In app.json times are in seconds. */
const fields = {
  interval: { least: 1, most: 300, usual: 10, unit: SECOND },
  timeout: { least: 1, most: 60, usual: 5, unit: SECOND },
  grace: { least: 0, most: 600, usual: 30, unit: SECOND },
  failures: { least: 1, most: 100, usual: 3, unit: 1 },
} as const satisfies Record<string, Field>

/** No spaces, and nothing that would end the request's line. */
const PATH = /^\/[!-~]{0,1023}$/
/** The only type that listens on a port. */
const CHECKED_TYPE = 'web'

/** `appJson`: what the file holds, parsed. */
export function readHealthChecks(appJson: unknown): HealthCheckWishes {
  const checks: Record<string, HealthCheck> = {}
  const faults: string[] = []
  const formation = isObject(appJson) ? appJson['formation'] : undefined
  for (const [type, wishes] of Object.entries(isObject(formation) ? formation : {})) {
    const wish = isObject(wishes) ? wishes['healthcheck'] : undefined
    if (wish === undefined || wish === null) continue
    const where = `formation.${type}.healthcheck`
    if (type !== CHECKED_TYPE) {
      faults.push(`${where} is ignored: only web dynos have a port to ask.`)
      continue
    }
    const { check, faults: found } = readCheck(wish)
    if (check) checks[type] = check
    faults.push(...found.map((fault) => `${where}${fault}`))
  }
  return { checks, faults }
}

/** The faults go on from where the check stands in the file. */
function readCheck(wish: unknown) {
  if (!isObject(wish)) return { faults: [' is ignored: it is not an object.'] }
  const { path, ...others } = wish
  if (typeof path !== 'string' || !PATH.test(path)) {
    return { faults: [' is ignored: its path must begin with / and have no spaces.'] }
  }
  const faults = Object.entries(others).flatMap(([name, value]) => {
    const fault = faultOfField(name, value)
    return fault === undefined ? [] : [`.${name} ${fault}`]
  })
  const check = {
    path,
    interval: fieldOf(others, 'interval'),
    timeout: fieldOf(others, 'timeout'),
    grace: fieldOf(others, 'grace'),
    failures: fieldOf(others, 'failures'),
  }
  return { check, faults }
}

function faultOfField(name: string, value: unknown): string | undefined {
  const field = Object.hasOwn(fields, name)
    ? fields[name as keyof typeof fields]
    : undefined
  if (!field) return 'is ignored: nothing of that name is known.'
  if (isWithin(value, field)) return undefined
  const { least, most, usual } = field
  return `must be a whole number from ${least} to ${most}; ${usual} is used.`
}

function fieldOf(wish: Readonly<Record<string, unknown>>, name: keyof typeof fields) {
  const field: Field = fields[name]
  const value = wish[name]
  return (isWithin(value, field) ? value : field.usual) * field.unit
}

function isWithin(value: unknown, { least, most }: Field): value is number {
  return Number.isInteger(value) && Number(value) >= least && Number(value) <= most
}
