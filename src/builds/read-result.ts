/** What a build dyno left behind. All of it was made by untrusted code. */

import { lstat } from 'node:fs/promises'
import { join } from 'node:path'

import { parse } from 'yaml'

import { isObject } from '../lib/is-object.ts'
import { UnsafeFile } from '../lib/open-plain-file.ts'
import { readSmallFile } from '../lib/read-small-file.ts'
import { treeChecksum } from '../lib/tree-checksum.ts'
import { faultOfCommand } from '../model/command.ts'
import type { HealthChecks } from '../model/health-check.ts'
import {
  parseProcfile,
  type ProcessTypes,
  strayLines,
  withDefaults,
} from '../model/procfile.ts'
import { readAppJson } from './read-app-json.ts'

export interface BuildResult {
  readonly processTypes: ProcessTypes
  /** The types that the app's own Procfile declares. */
  readonly declared: readonly string[]
  /** What the buildpack said it saw: `Node.js`. */
  readonly detected: string | undefined
  /** Bytes that the app's files take. */
  readonly size: number | undefined
  readonly healthChecks: HealthChecks
  /** `SHA256:<hex>` of the app's files. */
  readonly checksum: string
  /** Sentences about what was passed over. */
  readonly warnings: readonly string[]
}

/** The message is for the build's owner. */
export class UnusableResult extends Error {
  override readonly name = 'UnusableResult'
}

const LIMIT = 64 * 1024
/** Heroku tells no figure. Each is a formation, which the manager looks after; an app has 100 dynos. */
const MOST_TYPES = 100
/** What is nested so deep that it is an error takes 5 ms for each kilobyte. */
const YAML_LIMIT = 16 * 1024
/** Of the Procfile, to tell of; and how many characters of each line. */
const MOST_FAULTS = 10
const SHOWN = 80

/** Throws `UnusableResult` where no slug can be made of it. */
export async function readResult(directory: string): Promise<BuildResult> {
  // A link in its place would let the app see where it points to on this machine.
  const app = await lstat(join(directory, 'app')).catch(() => undefined)
  if (!app?.isDirectory())
    throw new UnusableResult('The build left no directory /build/app.')

  const text = (await read('Procfile')) ?? ''
  const procfile = parseProcfile(text)
  const defaults = defaultProcessTypes((await read('release.yml', YAML_LIMIT)) ?? '')
  const detected = (await read('detected'))?.split('\n')[0]?.trim().slice(0, 100)
  const { checks: healthChecks, faults } = await readAppJson(join(directory, 'app'))
  const size = Number((await read('size'))?.trim() ?? NaN)
  const processTypes = withDefaults(procfile, defaults)
  const types = Object.keys(processTypes).length
  if (types > MOST_TYPES) {
    throw new UnusableResult(
      `The app has ${types} process types, more than the ${MOST_TYPES} that it may.`,
    )
  }
  for (const [type, command] of Object.entries(processTypes)) {
    const fault = faultOfCommand(command)
    if (fault !== undefined) throw new UnusableResult(`The command of ${type} ${fault}.`)
  }
  return {
    processTypes,
    declared: Object.keys(procfile),
    detected: detected === '' ? undefined : detected,
    size: Number.isSafeInteger(size) && size >= 0 ? size : undefined,
    healthChecks,
    checksum: await treeChecksum(join(directory, 'app')),
    warnings: [...procfileFaults(text), ...faults],
  }

  async function read(name: string, limit = LIMIT): Promise<string | undefined> {
    try {
      const written = await readSmallFile(join(directory, name), limit)
      // The database could not keep it.
      if (written?.includes('\0'))
        throw new UnusableResult(`${name} contains a NUL byte.`)
      return written
    } catch (error) {
      if (!(error instanceof UnsafeFile)) throw error
      throw new UnusableResult(`${name} ${error.message}.`, { cause: error })
    }
  }
}

function procfileFaults(text: string): string[] {
  return strayLines(text)
    .slice(0, MOST_FAULTS)
    .map(({ at, line }) => {
      const shown = JSON.stringify(line.slice(0, SHOWN))
      return `Procfile: line ${at} is ignored, for it is not \`type: command\`: ${shown}`
    })
}

const TYPE = /^[-\w]{1,128}$/

/**
 * To find out whether 8,000 keys are unique takes the library a second, in which this process does
 * nothing else. A warning would go to our log, with a line of whatever length.
 */
const PARSING = { maxAliasCount: 16, uniqueKeys: false, logLevel: 'error' } as const

/** `default_process_types` of what a buildpack's bin/release printed. */
export function defaultProcessTypes(yaml: string): ProcessTypes {
  let release: unknown
  try {
    release = parse(yaml, PARSING)
  } catch (error) {
    throw new UnusableResult("The buildpack's bin/release did not print YAML.", {
      cause: error,
    })
  }
  const types = isObject(release) ? release['default_process_types'] : undefined
  if (!isObject(types)) return {}
  return Object.fromEntries(
    Object.entries(types).filter(
      (entry): entry is [string, string] =>
        TYPE.test(entry[0]) && typeof entry[1] === 'string' && entry[1].trim() !== '',
    ),
  )
}
