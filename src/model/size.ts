/**
 * Dyno sizes: what a dyno may use. Names in any case come in; the canonical ones go out,
 * for the CLI finds prices by them. Figures: heroku-semantics §1.6.
 */

const MiB = 1024 ** 2

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
  readonly dedicated: boolean
}

const sizes: readonly Size[] = [
  shared('Eco', 512, 1, 256),
  shared('Basic', 512, 1, 256),
  shared('Standard-1X', 512, 1, 256),
  shared('Standard-2X', 1024, 2, 512),
  dedicated('Performance-M', 2560, 12, 16384),
  dedicated('Performance-L', 14336, 50, 32768),
]

export const DEFAULT_SIZE = 'Standard-1X'

export function sizeNamed(name: string): Size | undefined {
  return sizes.find((size) => size.name.toLowerCase() === name.toLowerCase())
}

export function allSizes(): readonly Size[] {
  return sizes
}

function shared(
  name: string,
  mebibytes: number,
  cpuShare: number,
  processes: number,
): Size {
  const memory = mebibytes * MiB
  return { name, memory, hardMemory: 2 * memory, cpuShare, processes, dedicated: false }
}

function dedicated(
  name: string,
  mebibytes: number,
  cpuShare: number,
  processes: number,
): Size {
  const memory = mebibytes * MiB
  return { name, memory, hardMemory: memory, cpuShare, processes, dedicated: true }
}
