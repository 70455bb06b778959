/**
 * What a machine has, counted by quotas: dynos are placed while the sum of what they may take fits.
 * A dyno may use more than its quota of memory for a while (R14), and most use far less, of their
 * disks too; `memoryFactor` and `diskFactor` in manager.json say how much more, or less, is to be
 * promised than there is.
 */

import { MiB } from '../lib/bytes.ts'
import type { DynoId } from './ids.ts'
import type { Size } from './size.ts'

/** For the control plane, PostgreSQL, the routers, the dynos' monitors, and the kernel. */
const RESERVE = 1024 * MiB
/** On a machine so small that the reserve would be most of it. */
const LARGEST_SHARE_RESERVED = 1 / 4

/** Bytes, or how much of what there is. */
export interface Amount {
  readonly memory: number
  readonly disk: number
}

export const NOTHING: Amount = { memory: 0, disk: 0 }

/** What dynos may be promised. `has`: the machine's memory, and of its disk what dynos hold or could. */
export function roomOf(has: Amount, factor: Amount): Amount {
  return {
    memory: factor.memory * memoryOfDynos(has.memory),
    disk: factor.disk * has.disk,
  }
}

/** What is left to all dynos together, of so many bytes of the machine's. */
export function memoryOfDynos(memory: number): number {
  return memory - Math.min(RESERVE, LARGEST_SHARE_RESERVED * memory)
}

/** As in simulations. */
export function isEndless({ memory, disk }: Amount): boolean {
  return memory === Infinity && disk === Infinity
}

export function fits(amount: Amount, room: Amount): boolean {
  return amount.memory <= room.memory && amount.disk <= room.disk
}

export function sumOf(...amounts: readonly Amount[]): Amount {
  return amounts.reduce((sum, { memory, disk }) => ({
    memory: sum.memory + memory,
    disk: sum.disk + disk,
  }))
}

function largerOf(one: Amount, other: Amount): Amount {
  return {
    memory: Math.max(one.memory, other.memory),
    disk: Math.max(one.disk, other.disk),
  }
}

export interface Candidate {
  readonly id: DynoId
  /** Its quota of memory, and how large its disk may become. */
  readonly needs: Amount
  /** Its successor will boot beside it. */
  readonly isWeb: boolean
  /** It takes a place that had a dyno until now, or runs a release's command. */
  readonly carriesOn: boolean
}

export interface Promised {
  readonly room: Amount
  readonly used: Amount
  /** The largest needs of web dynos that are placed. */
  readonly largestWeb: Amount
}

/**
 * Who of those that wait may be placed: in their order, none before one that came earlier.
 * Only who would not fit into an empty machine is passed over, or all would wait for ever.
 *
 * So that a full machine can still be released to, what one web dyno needs is kept free of
 * all but those that carry on; unless the machine is so small that one dyno fills it.
 */
export function placeable(waiting: readonly Candidate[], promised: Promised): DynoId[] {
  const { room } = promised
  let { used, largestWeb } = promised
  const placed: DynoId[] = []
  for (const { id, needs, isWeb, carriesOn } of waiting) {
    if (!fits(needs, room)) continue
    const largest = isWeb ? largerOf(largestWeb, needs) : largestWeb
    const spare = carriesOn || !fits(sumOf(needs, largest), room) ? NOTHING : largest
    if (!fits(sumOf(used, needs, spare), room)) break
    placed.push(id)
    used = sumOf(used, needs)
    largestWeb = largest
  }
  return placed
}

/** What the log of its app says of a dyno for which there is no address. */
export function waitingForAddress(region: string): string {
  return `Waiting for capacity: region ${region} has no free address at the moment`
}

/** What the log of its app says of a dyno that is not placed. `used`: those that were included. */
export function waitingForRoom(
  { name }: Pick<Size, 'name'>,
  needs: Amount,
  { room, used }: Pick<Promised, 'room' | 'used'>,
): string {
  const share = (kind: keyof Amount) => (used[kind] + needs[kind]) / room[kind]
  const isOfDisk = fits(needs, room)
    ? share('disk') > share('memory')
    : needs.memory <= room.memory
  const kind = isOfDisk ? 'disk' : 'memory'
  const dyno = `${name} dyno (${Math.round(needs[kind] / MiB)} MB)`
  return needs[kind] > room[kind]
    ? `Waiting for capacity: this machine's ${kind} is too small for a ${dyno}`
    : `Waiting for capacity: this machine's ${kind} has no room for a ${dyno} at the moment`
}
