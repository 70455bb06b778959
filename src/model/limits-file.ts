/**
 * `sizes.json`: what an installation allows where Heroku's table does not suit its machines.
 * Sizes keep their names, for the CLI knows no others; whatever is not said is Heroku's.
 *
 *   {
 *     "sizes": { "Standard-1X": { "memory": 768, "perType": 20 } },
 *     "limits": { "dynosPerApp": 250 }
 *   }
 */

import { MiB } from '../lib/bytes.ts'
import { HEROKU_LIMITS, type Limits, type OfferedSize } from './limits.ts'

/** A size's memory is written in mebibytes. `processes` are threads too. */
const figuresOfSize = {
  memory: { least: 16, most: 1024 ** 2 },
  hardMemory: { least: 16, most: 1024 ** 2 },
  cpuShare: { least: 1, most: 100 },
  processes: { least: 8, most: 1024 ** 2 },
  openFiles: { least: 64, most: 1024 ** 2 },
  hardOpenFiles: { least: 64, most: 1024 ** 2 },
  perType: { least: 0, most: 10_000 },
  perApp: { least: 0, most: 10_000 },
  oneOffs: { least: 0, most: 10_000 },
}

const figuresOfAll = {
  dynosPerApp: { least: 1, most: 10_000 },
  appsPerAccount: { least: 1, most: 1_000_000 },
  teamsPerAccount: { least: 0, most: 1_000_000 },
  domains: { least: 0, most: 10_000 },
  /** The kernel takes no longer list of variables than a quarter of a stack, 2 MiB. */
  configVars: { least: 1024, most: 1024 ** 2 },
}

type Ranges = Readonly<Record<string, { readonly least: number; readonly most: number }>>
type Figures<Of extends Ranges> = { -readonly [Name in keyof Of]?: number }

/** Throws a TypeError that says in a sentence what is not understood. */
export function limitsFrom(text: string): Limits {
  const { sizes = {}, limits = {}, ...rest } = objectAt('it', JSON.parse(text))
  const [stranger] = Object.keys(rest)
  if (stranger !== undefined) throw new TypeError(`there is no setting ${stranger}`)

  const changes = new Map<string, Figures<typeof figuresOfSize>>()
  for (const [name, figures] of Object.entries(objectAt('sizes', sizes))) {
    if (!HEROKU_LIMITS.sizes.some((it) => it.name === name)) {
      const known = HEROKU_LIMITS.sizes.map((it) => it.name).join(', ')
      throw new TypeError(`there is no size ${name}, only ${known}`)
    }
    changes.set(name, figuresIn(name, figures, figuresOfSize))
  }
  return {
    ...HEROKU_LIMITS,
    ...figuresIn('limits', limits, figuresOfAll),
    sizes: HEROKU_LIMITS.sizes.map((it) => changed(it, changes.get(it.name) ?? {})),
  }
}

/** Unless said otherwise, hard limits stay in proportion to the others. */
function changed(size: OfferedSize, to: Figures<typeof figuresOfSize>): OfferedSize {
  const { memory: quota, hardMemory: hard, openFiles, hardOpenFiles, ...counts } = to
  const memory = quota === undefined ? size.memory : quota * MiB
  const hardMemory =
    hard === undefined ? (size.hardMemory / size.memory) * memory : hard * MiB
  const files = openFiles ?? size.openFiles
  const mostFiles = hardOpenFiles ?? (size.hardOpenFiles / size.openFiles) * files
  for (const [name, least, most] of [
    ['memory', memory, hardMemory],
    ['openFiles', files, mostFiles],
  ] as const) {
    if (most >= least) continue
    const hardName = `hard${name.charAt(0).toUpperCase()}${name.slice(1)}`
    throw new TypeError(`${hardName} of ${size.name} must not be less than its ${name}`)
  }
  return {
    ...size,
    ...counts,
    memory,
    hardMemory,
    openFiles: files,
    hardOpenFiles: Math.floor(mostFiles),
  }
}

function figuresIn<Of extends Ranges>(
  where: string,
  json: unknown,
  ranges: Of,
): Figures<Of> {
  const figures: Figures<Of> = {}
  for (const [name, value] of Object.entries(objectAt(where, json))) {
    const range = ranges[name]
    if (!range) throw new TypeError(`${where} has no ${name}`)
    const { least, most } = range
    if (!Number.isInteger(value) || Number(value) < least || Number(value) > most) {
      throw new TypeError(
        `${name} of ${where} must be a whole number from ${least} to ${most}`,
      )
    }
    figures[name as keyof Of] = Number(value)
  }
  return figures
}

function objectAt(where: string, json: unknown): Record<string, unknown> {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) {
    return json as Record<string, unknown>
  }
  throw new TypeError(`${where} must be an object`)
}
