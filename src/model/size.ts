/**
 * Dyno sizes: what a dyno may use. Names in any case come in; the canonical ones go out,
 * for the CLI finds prices by them. Figures: Heroku's article "Dyno Types".
 */

import { MiB } from '../lib/bytes.ts'
import { namedId } from './named-id.ts'

/** What a process may have open, as on Heroku. */
export const OPEN_FILES = 10_000

/** An app that has dynos of one of these has no others. */
export const SINGLE_TIERS: readonly string[] = ['Eco', 'Basic']

export interface Size {
  /** As `heroku ps` prints it. */
  readonly name: string
  /** The quota in bytes: R14 above it, and what capacity counts. */
  readonly memory: number
  /** The cgroup's hard limit in bytes: the R15 threshold. */
  readonly hardMemory: number
  /** Weight among dynos that compete for a core; 1 is a Standard-1X. */
  readonly cpuShare: number
  /** Processes and threads together. */
  readonly processes: number
  /** Of each process, files, sockets and pipes: what it may have, and to how much it may raise that itself. */
  readonly openFiles: number
  readonly hardOpenFiles: number
  readonly dedicated: boolean
}

export const HEROKU_SIZES: readonly Size[] = [
  shared('Eco', 512, 1, 256),
  shared('Basic', 512, 1, 256),
  shared('Standard-1X', 512, 1, 256),
  shared('Standard-2X', 1024, 2, 512),
  dedicated('Performance-M', 2560, 12, 16384, 50_000),
  dedicated('Performance-L', 14 * 1024, 50, 32768, 100_000),
  dedicated('Performance-L-RAM', 30 * 1024, 24, 16384, 100_000),
  dedicated('Performance-XL', 62 * 1024, 50, 32768, 200_000),
  dedicated('Performance-2XL', 126 * 1024, 100, 65536, 400_000),
]

export const DEFAULT_SIZE = 'Standard-1X'

export function idOfSize(name: string): string {
  return namedId('dyno size', name)
}

/** By its name, in any case, or by its id. `among`: as the installation has them, if not as Heroku does. */
export function sizeNamed(
  identity: string,
  among: readonly Size[] = HEROKU_SIZES,
): Size | undefined {
  const name = identity.toLowerCase()
  return (
    among.find((size) => size.name.toLowerCase() === name) ??
    among.find((size) => idOfSize(size.name) === name)
  )
}

function shared(
  name: string,
  mebibytes: number,
  cpuShare: number,
  processes: number,
): Size {
  const memory = mebibytes * MiB
  const files = { openFiles: OPEN_FILES, hardOpenFiles: OPEN_FILES }
  const its = { name, memory, cpuShare, processes, ...files }
  return { ...its, hardMemory: 2 * memory, dedicated: false }
}

/** What Heroku says of open files is of common dynos; who has a machine almost alone may ask for more. */
function dedicated(
  name: string,
  mebibytes: number,
  cpuShare: number,
  processes: number,
  hardOpenFiles: number,
): Size {
  const memory = mebibytes * MiB
  const its = { name, memory, cpuShare, processes, openFiles: OPEN_FILES, hardOpenFiles }
  return { ...its, hardMemory: memory, dedicated: true }
}
