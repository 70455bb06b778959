/**
 * The manager's settings, which `manager.json` in the data directory may say otherwise: Heroku's
 * timings, how much memory and disk is promised to dynos, by what their containers are made, and
 * what they reach beyond the public Internet. Each is read as it is set now.
 *
 * `clockOffset` moves the manager's clock, so that tests need not wait a day for a cycle.
 */

import { type Clock, later, systemClock } from '../lib/clock.ts'
import { type Kind, namedSettings } from '../lib/named-settings.ts'
import type { Allowances } from '../model/allowances.ts'
import type { Amount } from '../model/capacity.ts'
import { isOciRuntime, OCI_RUNTIMES, type OciRuntimeName } from '../model/oci-runtimes.ts'
import { isNetwork } from '../model/reach.ts'
import { HEROKU_TIMINGS, type Timings } from '../model/timings.ts'

export interface Settings {
  readonly clock: Clock
  /** Milliseconds that it is ahead of the machine's. */
  readonly ahead: () => number
  readonly timings: () => Timings
  /** How much of the machine's memory and disk is promised to dynos; 1: all but the reserve. */
  readonly factor: () => Amount
  /** What dynos reach beyond the public Internet. */
  readonly allowances: () => Allowances
  /** What makes the containers of a region's next dynos. */
  readonly ociRuntime: (region: string) => OciRuntimeName
}

export interface ManagerSettings extends Timings {
  /** Milliseconds that the manager's clock is ahead. */
  readonly clockOffset: number
  readonly memoryFactor: number
  readonly diskFactor: number
  /** By region; crun where it is left out. */
  readonly ociRuntimes: Readonly<Record<string, OciRuntimeName>>
  /** IPv4 networks and addresses that dynos reach though they are not public. */
  readonly allowedNetworks: readonly string[]
  /** Others that they do not reach, but for what is allowed of them. */
  readonly closedNetworks: readonly string[]
  /** Whether dynos reach mail servers, on port 25. */
  readonly allowMail: boolean
}

export const USUAL_MANAGER_SETTINGS: ManagerSettings = {
  ...HEROKU_TIMINGS,
  clockOffset: 0,
  memoryFactor: 1,
  diskFactor: 1,
  ociRuntimes: {},
  allowedNetworks: [],
  closedNetworks: [],
  allowMail: false,
}

/** `written`: what the file says now. */
export function settingsFrom(written: () => ManagerSettings): Settings {
  return {
    clock: { now: () => later(systemClock.now(), written().clockOffset) },
    ahead: () => written().clockOffset,
    timings: written,
    factor: () => ({ memory: written().memoryFactor, disk: written().diskFactor }),
    allowances: () => ({
      networks: written().allowedNetworks,
      closed: written().closedNetworks,
      mail: written().allowMail,
    }),
    ociRuntime: (region) => written().ociRuntimes[region] ?? 'crun',
  }
}

/**
 * What the text of `manager.json` says. Throws an error that says what is not understood.
 * `regions`: those that it may name; undefined: nobody has said yet which there are.
 */
export function managerSettings(
  text: string,
  regions?: readonly string[],
): ManagerSettings {
  const settings: ManagerSettings = {
    ...USUAL_MANAGER_SETTINGS,
    ...namedSettings(text, KINDS),
  }
  const stray = Object.keys(settings.ociRuntimes).find((it) => !regions?.includes(it))
  if (!regions || stray === undefined) return settings
  throw new TypeError(
    `ociRuntimes names ${stray}, which is no region: there is ${regions.join(', ')}`,
  )
}

const isAmount = (value: unknown) => typeof value === 'number' && value >= 0
const MILLISECONDS: Kind = {
  is: isAmount,
  what: 'a number of milliseconds, not negative',
}
const NETWORKS: Kind = {
  is: (value) => Array.isArray(value) && value.every(isIPv4Network),
  what: 'a list of IPv4 networks or addresses, as in ["10.1.0.0/16"]',
}
const KINDS: Readonly<Record<keyof ManagerSettings, Kind>> = {
  ...(Object.fromEntries(
    Object.keys(HEROKU_TIMINGS).map((name) => [name, MILLISECONDS]),
  ) as Record<keyof Timings, Kind>),
  clockOffset: MILLISECONDS,
  memoryFactor: { is: isAmount, what: 'a number, not negative' },
  diskFactor: { is: isAmount, what: 'a number, not negative' },
  ociRuntimes: {
    is: (value) =>
      typeof value === 'object' &&
      value !== null &&
      !Array.isArray(value) &&
      Object.values(value).every(isOciRuntime),
    what: `one of ${OCI_RUNTIMES.join(', ')} for each region it names (docs/decisions/0010-oci-runtimes.md: why no others)`,
  },
  allowedNetworks: NETWORKS,
  closedNetworks: NETWORKS,
  allowMail: { is: (value) => typeof value === 'boolean', what: 'true or false' },
}

function isIPv4Network(value: unknown): boolean {
  return typeof value === 'string' && !value.includes(':') && isNetwork(value)
}
