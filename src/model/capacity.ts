/**
 * A machine's memory, counted by quotas: dynos are placed while the sum of their quotas fits.
 * A dyno may use more than its quota for a while (R14), and most use far less; `memoryFactor`
 * in manager.json says how much more, or less, is to be promised than there is.
 */

import type { DynoId } from './ids.ts'
import type { Size } from './size.ts'

const MiB = 1024 ** 2

/** For the control plane, PostgreSQL, the routers, the dynos' monitors, and the kernel. */
const RESERVE = 1024 * MiB
/** On a machine so small that the reserve would be most of it. */
const LARGEST_SHARE_RESERVED = 1 / 4

/** Bytes that dynos may be promised. `memory`: the machine's. */
export function roomOf(memory: number, factor: number): number {
  return factor * (memory - Math.min(RESERVE, LARGEST_SHARE_RESERVED * memory))
}

export interface Candidate {
  readonly id: DynoId
  /** Its quota in bytes. */
  readonly memory: number
  /** Its successor will boot beside it. */
  readonly isWeb: boolean
  /** It takes a place that had a dyno until now, or runs a release's command. */
  readonly carriesOn: boolean
}

/** All in bytes. */
export interface Promised {
  readonly room: number
  readonly used: number
  /** The largest quota of a web dyno that is placed. */
  readonly largestWeb: number
}

/**
 * Who of those that wait may be placed: in their order, none before one that came earlier.
 * Only who would not fit into an empty machine is passed over, or all would wait for ever.
 *
 * So that a full machine can still be released to, the quota of one web dyno is kept free of
 * all but those that carry on; unless the machine is so small that one dyno fills it.
 */
export function placeable(waiting: readonly Candidate[], promised: Promised): DynoId[] {
  const { room } = promised
  let { used, largestWeb } = promised
  const placed: DynoId[] = []
  for (const { id, memory, isWeb, carriesOn } of waiting) {
    if (memory > room) continue
    const largest = isWeb ? Math.max(largestWeb, memory) : largestWeb
    const spare = carriesOn || memory + largest > room ? 0 : largest
    if (used + memory + spare > room) break
    placed.push(id)
    used += memory
    largestWeb = largest
  }
  return placed
}

/** What the log of its app says of a dyno that is not placed. */
export function waitingForRoom(
  size: Pick<Size, 'name' | 'memory'>,
  room: number,
): string {
  const quota = `${size.name} dyno (${Math.round(size.memory / MiB)} MB)`
  return size.memory > room
    ? `Waiting for capacity: this machine is too small for a ${quota}`
    : `Waiting for capacity: this machine's memory has no room for a ${quota} at the moment`
}
