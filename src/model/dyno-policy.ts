/**
 * What an app's owner may decide about its dynos' life. What is on or off is an app
 * feature (`heroku features:enable preboot`), what has a value is a config var
 * (`heroku config:set MAYFLY_BOOT_TIMEOUT=120`). docs/operating/dyno-settings.md says the same.
 *
 * A value that can't be understood can't be set; where one is found all the same, that
 * setting alone is as if nothing had been said.
 */

import { HOUR, MINUTE, SECOND } from '../lib/clock.ts'
import type { FeatureName } from './app-features.ts'
import { type Autoscaling, parseAutoscaling } from './autoscaling.ts'
import { CERTAIN, type Cycling, DAILY } from './cycling.ts'
import { type DailyWindow, parseDailyWindow } from './daily-window.ts'
import type { ConfigVars } from './release.ts'
import type { Timings } from './timings.ts'

/** Durations in milliseconds. */
export interface DynoPolicy {
  readonly bootTimeout: number
  readonly stopGrace: number
  /** Undefined: dynos live as long as they like. */
  readonly cycling: Cycling | undefined
  /** Of the memory quota: a dyno above it is restarted. Undefined: none is. */
  readonly memoryRestart: number | undefined
  /** Whether it was asked for; Eco dynos sleep in any case. */
  readonly idling: boolean
  readonly idleAfter: number
  /** Undefined: switched off. From a release until its dynos take over; for how long two serve. */
  readonly preboot: { readonly switch: number; readonly overlap: number } | undefined
  readonly automaticRollback: boolean
}

/** The features that are on, those that nobody switched off included. */
export type Features = ReadonlySet<FeatureName>

export function dynoPolicy(
  configVars: ConfigVars,
  features: Features,
  timings: Timings,
): DynoPolicy {
  const bootTimeout = settingOf(configVars, 'MAYFLY_BOOT_TIMEOUT') ?? timings.bootTimeout
  return {
    bootTimeout,
    stopGrace: settingOf(configVars, 'MAYFLY_STOP_GRACE') ?? timings.stopGrace,
    cycling: features.has('daily-cycling') ? cyclingOf(configVars) : undefined,
    memoryRestart: settingOf(configVars, 'MAYFLY_MEMORY_RESTART'),
    idling: features.has('idling'),
    idleAfter: settingOf(configVars, 'MAYFLY_IDLE_AFTER') ?? timings.idleAfter,
    preboot: features.has('preboot')
      ? { switch: bootTimeout + timings.prebootSwitch, overlap: timings.prebootOverlap }
      : undefined,
    automaticRollback: features.has('automatic-rollback'),
  }
}

/** Undefined: nothing is said of it. */
export function autoscalingIn(configVars: ConfigVars): Autoscaling | undefined {
  return settingOf(configVars, 'MAYFLY_AUTOSCALE')
}

/** For `config:set`: what is wrong with a setting among the config vars, in a sentence. */
export function faultOfDynoSettings(configVars: ConfigVars): string | undefined {
  for (const [name, { parse, wanted }] of Object.entries(settings)) {
    const text = configVars[name]
    if (text !== undefined && parse(text) === undefined)
      return `${name} must be ${wanted}.`
  }
  return undefined
}

function cyclingOf(configVars: ConfigVars): Cycling {
  const most = settingOf(configVars, 'MAYFLY_MAX_LIFE')
  const window = settingOf(configVars, 'MAYFLY_CYCLING_WINDOW')
  const life = most === undefined ? DAILY : { least: CERTAIN * most, most }
  return { ...life, ...(window && { window }) }
}

interface Setting<Value> {
  readonly parse: (text: string) => Value | undefined
  /** Ends the sentence that says what is wrong with a value. */
  readonly wanted: string
}

const settings = {
  MAYFLY_BOOT_TIMEOUT: number({ least: 1, most: 180, unit: SECOND }, 'seconds'),
  MAYFLY_STOP_GRACE: number({ least: 1, most: 300, unit: SECOND }, 'seconds'),
  MAYFLY_MAX_LIFE: number({ least: 1, most: 24, unit: HOUR }, 'hours'),
  MAYFLY_MEMORY_RESTART: number({ least: 10, most: 200, unit: 1 / 100 }, 'percent'),
  MAYFLY_IDLE_AFTER: number({ least: 1, most: 1440, unit: MINUTE }, 'minutes'),
  MAYFLY_AUTOSCALE: {
    parse: parseAutoscaling,
    wanted:
      'the least and the most web dynos and the desired p95 in milliseconds, like 2-10 p95=500',
  } satisfies Setting<Autoscaling>,
  MAYFLY_CYCLING_WINDOW: {
    parse: parseDailyWindow,
    wanted: 'a part of the day and its time zone, like 02:00-05:00 Europe/Berlin',
  } satisfies Setting<DailyWindow>,
}

type Settings = typeof settings

function settingOf<Name extends keyof Settings>(
  configVars: ConfigVars,
  name: Name,
): ReturnType<Settings[Name]['parse']> | undefined {
  const text = configVars[name]
  return text === undefined
    ? undefined
    : (settings[name].parse(text) as ReturnType<Settings[Name]['parse']> | undefined)
}

/** A whole number of some unit. */
function number(
  { least, most, unit }: { least: number; most: number; unit: number },
  units: string,
): Setting<number> {
  return {
    parse(text) {
      if (!/^\d{1,4}$/.test(text)) return undefined
      const value = Number(text)
      return value >= least && value <= most ? value * unit : undefined
    },
    wanted: `a whole number of ${units} from ${least} to ${most}`,
  }
}
