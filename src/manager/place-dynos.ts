/**
 * Who may boot: a machine's memory and disk are promised to dynos by their quotas, and never more of
 * them than there is. All regions of a machine draw on it, so whoever promises holds its lock.
 * A dyno that finds no room waits in `starting`, and is placed when room comes. With its room it
 * gets its address, and not before: there are more rows than addresses, for what waits costs nothing.
 *
 * Where there is no end of memory and disk, as in simulations, nothing is counted.
 */

import type { Pool } from 'pg'

import type { Clock } from '../lib/clock.ts'
import {
  type Amount,
  fits,
  isEndless,
  placeable,
  type Promised,
  roomOf,
  sumOf,
  waitingForAddress,
  waitingForRoom,
} from '../model/capacity.ts'
import { placeOf } from '../model/dyno.ts'
import type { DynoId } from '../model/ids.ts'
import { type Size, sizeNamed } from '../model/size.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { takeAddresses } from '../store/addresses.ts'
import {
  lockCapacity,
  lockUnplaced,
  type Machine,
  markPlaced,
  markWaiting,
  placedAmong,
  promisedOf,
  somebodyWaits,
  type Unplaced,
  unplacedAmong,
} from '../store/capacity.ts'
import { writeEvents } from '../store/events.ts'
import { writeLogLines } from '../store/log-lines.ts'
import { inTransaction, type Queryable } from '../store/queryable.ts'
import { type Subject, wakeAll } from '../store/work.ts'

export interface PlacerOptions {
  readonly pool: Pool
  readonly runtime: Pick<Runtime, 'capacity'>
  readonly clock: Clock
  readonly machine: Machine
  /** As set now; they may change while the manager runs. */
  readonly sizes: () => readonly Size[]
  /** How much of what the machine has is promised. */
  readonly factor: () => Amount
  /** What a build is promised. */
  readonly build: Amount
}

export interface Placer {
  /**
   * Which of these starting dynos may boot now, each at its address. The others wait, and their log says so.
   * Asked for none: room may have come, and whoever waits longest gets it.
   */
  readonly place: (
    ids: readonly DynoId[],
    signal: AbortSignal,
  ) => Promise<ReadonlyMap<DynoId, string>>
  /**
   * Does `begin`, which makes a build count, if there is room for one more. Says false if there
   * is none, or if `begin` does.
   * One whose memory an empty machine would not have is let through, or nothing could be built.
   */
  readonly placeBuild: (
    begin: (tx: Queryable) => Promise<boolean>,
    signal: AbortSignal,
  ) => Promise<boolean>
}

interface MachineNow {
  readonly room: Amount
  /** Bytes that one may write at most. */
  readonly diskOfDyno: number
}

export function placer(options: PlacerOptions): Placer {
  const { pool, runtime, clock, machine, sizes, factor, build } = options

  return {
    async place(ids, signal) {
      const machineNow = await lookAtMachine(signal)
      const endless = isEndless(machineNow.room)
      if (endless && ids.length === 0) return new Map()
      const placed = await placedAmong(pool, ids)
      const known = placed.size === ids.length
      if (known && (ids.length > 0 || !(await somebodyWaits(pool, machine))))
        return placed
      await inTransaction(pool, (tx) =>
        endless ? placeUncounted(tx, ids) : placeAll(tx, machineNow, new Set(ids)),
      )
      return placedAmong(pool, ids)
    },

    async placeBuild(begin, signal) {
      const { room, diskOfDyno } = await lookAtMachine(signal)
      // The kernel ends what takes too much memory; a full disk is everybody's end.
      const hasEver = build.memory <= room.memory
      const least = hasEver ? room : { ...room, memory: Infinity }
      return inTransaction(pool, async (tx) => {
        if (!isEndless(room)) {
          await lockCapacity(tx, machine)
          const { used } = await promised(tx, diskOfDyno)
          if (!fits(sumOf(used, build), least)) return false
        }
        return begin(tx)
      })
    },
  }

  async function lookAtMachine(signal: AbortSignal): Promise<MachineNow> {
    const { diskOfDyno, ...has } = await runtime.capacity(signal)
    return { room: roomOf(has, factor()), diskOfDyno }
  }

  function promised(tx: Queryable, diskOfDyno: number): Promise<Omit<Promised, 'room'>> {
    return promisedOf(tx, machine, { sizes: sizes(), diskOfDyno, build })
  }

  async function placeUncounted(tx: Queryable, ids: readonly DynoId[]): Promise<void> {
    const placed = await withAddresses(tx, await unplacedAmong(tx, ids))
    await markPlaced(tx, placed, clock.now())
  }

  /** `asked`: whoever asked for these looks at them by itself. */
  async function placeAll(
    tx: Queryable,
    { room, diskOfDyno }: MachineNow,
    asked: ReadonlySet<DynoId>,
  ): Promise<void> {
    await lockCapacity(tx, machine)
    const { used, largestWeb } = await promised(tx, diskOfDyno)
    const fitsEver = ({ memory }: Size) => fits({ memory, disk: diskOfDyno }, room)
    const unplaced = await lockUnplaced(tx, machine, {
      asked: [...asked],
      sizes: sizes()
        .filter(fitsEver)
        .map(({ name }) => name),
    })
    const candidates = unplaced.map((it) => ({
      ...it,
      needs: needsOf(it, diskOfDyno),
      isWeb: it.type === 'web',
    }))
    const fitting = new Set(placeable(candidates, { room, used, largestWeb }))
    const placed = await withAddresses(
      tx,
      unplaced.filter((it) => fitting.has(it.id)),
    )
    const now = clock.now()

    await markPlaced(tx, placed, now)
    const refused = unplaced.filter((it) => !placed.has(it.id) && it.waitingFor === null)
    const usedNow = sumOf(
      used,
      ...candidates.filter((it) => placed.has(it.id)).map((it) => it.needs),
    )
    const said = refused.map((it) => ({
      it,
      message: fitting.has(it.id)
        ? waitingForAddress(it.region)
        : waitingForRoom(sizeOf(it), needsOf(it, diskOfDyno), { room, used: usedNow }),
    }))
    await sayWaiting(tx, said, now)
    const awaited = unplaced.filter((it) => placed.has(it.id) && !asked.has(it.id))
    await wakeAll(tx, awaited.map(keeperOf))
  }

  function needsOf(it: Unplaced, diskOfDyno: number): Amount {
    return { memory: sizeOf(it).memory, disk: diskOfDyno }
  }

  function sizeOf({ id, size }: Unplaced): Size {
    const found = sizeNamed(size, sizes())
    if (!found) throw new Error(`dyno ${id} is of an unknown size, ${size}`)
    return found
  }
}

/** The first of each region, as many as it has free addresses; they are theirs once they are marked. */
async function withAddresses(
  tx: Queryable,
  dynos: readonly Pick<Unplaced, 'id' | 'region'>[],
): Promise<ReadonlyMap<DynoId, string>> {
  const found = new Map<DynoId, string>()
  for (const [region, its] of Map.groupBy(dynos, (it) => it.region)) {
    const addresses = await takeAddresses(tx, region, its.length)
    for (const [at, address] of addresses.entries()) {
      const dyno = its[at]
      if (dyno) found.set(dyno.id, address)
    }
  }
  return found
}

async function sayWaiting(
  tx: Queryable,
  said: readonly { readonly it: Unplaced; readonly message: string }[],
  now: Date,
): Promise<void> {
  if (said.length === 0) return
  await markWaiting(
    tx,
    said.map(({ it }) => it.id),
    now,
  )
  await writeLogLines(
    tx,
    said.map(({ it, message }) => ({
      app: it.app,
      source: 'heroku',
      ps: placeOf(it),
      message,
    })),
  )
  await writeEvents(
    tx,
    said.map(({ it, message }) => ({
      app: it.app,
      at: now,
      kind: 'dyno.waiting',
      dyno: it.id,
      ps: placeOf(it),
      release: it.release,
      cause: 'capacity',
      message,
    })),
  )
}

/** Who looks after it. */
function keeperOf({ id, formation, region }: Unplaced): Subject {
  return formation === null
    ? { kind: 'one-off', subject: id, region }
    : { kind: 'formation', subject: formation, region }
}
