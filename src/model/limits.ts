/**
 * How much of everything there may be (Heroku's articles "Dyno Types" and "Limits"), refused in its
 * words. An installation may have other figures, for machines of its own: `sizes.json`.
 */

import { HEROKU_SIZES, SINGLE_TIERS, type Size } from './size.ts'
import type { Problem } from './problem.ts'

export interface Limits {
  readonly sizes: readonly OfferedSize[]
  /** Of all process types together. */
  readonly dynosPerApp: number
  readonly appsPerAccount: number
  /** That it made; each has as many apps as an account. */
  readonly teamsPerAccount: number
  /** Custom ones, of an app. */
  readonly domains: number
  /** Bytes, keys and values of an app together. */
  readonly configVars: number
}

/** A size, and how many dynos of it there may be: Infinity, as many as of any size. */
export interface OfferedSize extends Size {
  /** Of one process type. */
  readonly perType: number
  /** Of an app's process types together. */
  readonly perApp: number
  /** One-off dynos of an app at once. */
  readonly oneOffs: number
}

type Counts = Pick<OfferedSize, 'perType' | 'perApp' | 'oneOffs'>

const single: Counts = { perType: 1, perApp: Infinity, oneOffs: 50 }
const standard: Counts = { ...single, perType: Infinity }
const performance: Counts = { perType: 10, perApp: Infinity, oneOffs: 5 }
const countsOf: Readonly<Record<string, Counts>> = {
  Eco: { perType: 1, perApp: 2, oneOffs: 1 },
  Basic: single,
  'Standard-1X': standard,
  'Standard-2X': standard,
}

export const HEROKU_LIMITS: Limits = {
  sizes: HEROKU_SIZES.map((size) => ({
    ...size,
    ...(countsOf[size.name] ?? performance),
  })),
  dynosPerApp: 100,
  appsPerAccount: 100,
  // Heroku tells no figure.
  teamsPerAccount: 10,
  domains: 1000,
  configVars: 64 * 1024,
}

/** What a Problem is made of. */
export type Fault = Readonly<Pick<Problem, 'id' | 'message' | 'details'>>

interface Scale {
  readonly type: string
  readonly quantity: number
  readonly size: string
}

/** What is wrong with all formations of an app taken together; undefined if nothing is. */
export function faultOfFormations(
  all: readonly Scale[],
  limits: Limits,
): Fault | undefined {
  const mixed = faultOfMixture(all.map((it) => it.size))
  if (mixed) return mixed
  for (const { name, perType, perApp } of limits.sizes) {
    const quantities = all.filter((it) => it.size === name).map((it) => it.quantity)
    if (Math.max(0, ...quantities) > perType) {
      return aboveUpdate(
        perType,
        `Cannot update to more than ${perType} ${name} size dynos per process type.`,
      )
    }
    if (sumOf(quantities) > perApp) return aboveRun(perApp, name)
  }
  const most = limits.dynosPerApp
  if (sumOf(all.map((it) => it.quantity)) <= most) return undefined
  return aboveUpdate(most, `Cannot update to more than ${most} dynos per app.`)
}

/**
 * Of formations that come back beside others what the limits leave of them: as many dynos of each
 * as may be, in the size of the first of the others where its own cannot stand beside them.
 */
export function withinLimits<T extends Scale>(
  back: readonly T[],
  others: readonly Scale[],
  limits: Limits,
): T[] {
  const kept: T[] = []
  for (const it of back) {
    const all = [...others, ...kept]
    const { size } = all[0] ?? it
    const isMixed = faultOfMixture([...all, it].map((one) => one.size)) !== undefined
    const fit = isMixed ? { ...it, size } : it
    let { quantity } = fit
    while (quantity > 0 && faultOfFormations([...all, { ...fit, quantity }], limits)) {
      quantity -= 1
    }
    kept.push({ ...fit, quantity })
  }
  return kept
}

/** What is wrong with one more one-off dyno; undefined if nothing is. */
export function faultOfOneOff(
  wish: {
    /** As the size is called: `Standard-1X`. */
    readonly size: string
    /** How many one-offs of this size the app has already. */
    readonly present: number
    /** Of the app's formations. */
    readonly formationSizes: readonly string[]
  },
  limits: Limits = HEROKU_LIMITS,
): Fault | undefined {
  const mixed = faultOfMixture([...wish.formationSizes, wish.size])
  if (mixed) return mixed
  const most = limits.sizes.find((it) => it.name === wish.size)?.oneOffs ?? 0
  return wish.present < most ? undefined : aboveRun(most, wish.size)
}

/** `present`: the apps the account has already. */
export function faultOfOneMoreApp(present: number, limits: Limits): Fault | undefined {
  const most = limits.appsPerAccount
  if (present < most) return undefined
  const message = `You've reached your app limit of ${most} apps. Delete some apps first.`
  return { id: 'invalid_params', message, details: { limit: most } }
}

/** `present`: the teams that the account made and that are still there. */
export function faultOfOneMoreTeam(present: number, limits: Limits): Fault | undefined {
  const most = limits.teamsPerAccount
  if (present < most) return undefined
  const message = `You've reached your limit of ${most} teams. Delete some teams first.`
  return { id: 'invalid_params', message, details: { limit: most } }
}

/** Of an account, expired ones and logins not counted: Heroku tells no figure. */
export const MOST_AUTHORIZATIONS = 500
/** Of an account, beside them: another is in place of the oldest. */
export const MOST_LOGINS = 100

/** `present`: the API keys that the account has already, those of logins not counted. */
export function faultOfOneMoreAuthorization(present: number): Fault | undefined {
  if (present < MOST_AUTHORIZATIONS) return undefined
  const message = `You've reached your limit of ${MOST_AUTHORIZATIONS} authorizations. Revoke some first: heroku authorizations:revoke.`
  return { id: 'invalid_params', message, details: { limit: MOST_AUTHORIZATIONS } }
}

/** Dynos of most sizes may stand beside each other, those of a single tier only among themselves. */
function faultOfMixture(sizes: readonly string[]): Fault | undefined {
  const names = [...new Set(sizes)].toSorted()
  if (names.length < 2 || !names.some((it) => SINGLE_TIERS.includes(it))) return undefined
  const list = `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
  const message = `Cannot use the following dyno types in the same app: ${list}`
  return { id: 'invalid_params', message, details: {} }
}

function aboveUpdate(limit: number, message: string): Fault {
  return { id: 'cannot_update_above_limit', message, details: { limit } }
}

function aboveRun(limit: number, size: string): Fault {
  const message = `Cannot run more than ${limit} ${size} size dynos.`
  return { id: 'cannot_run_above_limit', message, details: { limit } }
}

function sumOf(quantities: readonly number[]): number {
  return quantities.reduce((sum, it) => sum + it, 0)
}
