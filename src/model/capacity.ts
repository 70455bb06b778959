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
}

/**
 * Who of those that wait may be placed: in their order, none before one that came earlier.
 * Only who would not fit into an empty machine is passed over, or all would wait for ever.
 */
export function placeable(
  waiting: readonly Candidate[],
  { room, used }: { readonly room: number; readonly used: number },
): DynoId[] {
  const placed: DynoId[] = []
  let free = room - used
  for (const { id, memory } of waiting) {
    if (memory > room) continue
    if (memory > free) break
    free -= memory
    placed.push(id)
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
