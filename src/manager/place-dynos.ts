/**
 * Who may boot: a machine's memory is promised to dynos by their quotas, and never more of it
 * than there is. All regions of a machine draw on it, so whoever promises holds its lock.
 * A dyno that finds no room waits in `starting`, and is placed when room comes.
 *
 * Where there is no end of memory, as in simulations, nothing is counted and nothing asked.
 */

import type { Pool } from 'pg'

import type { Clock } from '../lib/clock.ts'
import { placeable, type Promised, roomOf, waitingForRoom } from '../model/capacity.ts'
import { placeOf } from '../model/dyno.ts'
import type { DynoId } from '../model/ids.ts'
import { type Size, sizeNamed } from '../model/size.ts'
import type { Runtime } from '../runtime/runtime.ts'
import {
  lockCapacity,
  lockUnplaced,
  type Machine,
  markPlaced,
  markWaiting,
  placedAmong,
  promisedMemory,
  somebodyWaits,
  type Unplaced,
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
  readonly memoryFactor: () => number
  /** Bytes that a build is promised. */
  readonly buildMemory: number
}

export interface Placer {
  /**
   * Which of these starting dynos may boot now. The others wait, and their log says so.
   * Asked for none: room may have come, and whoever waits longest gets it.
   */
  readonly place: (
    ids: readonly DynoId[],
    signal: AbortSignal,
  ) => Promise<ReadonlySet<DynoId>>
  /**
   * Does `begin`, which makes a build count, if there is room for one more; else says false.
   * One that would not even fit into an empty machine is let through, or nothing could be built.
   */
  readonly placeBuild: (
    begin: (tx: Queryable) => Promise<void>,
    signal: AbortSignal,
  ) => Promise<boolean>
}

export function placer(options: PlacerOptions): Placer {
  const { pool, runtime, clock, machine, sizes, memoryFactor, buildMemory } = options

  return {
    async place(ids, signal) {
      const room = await roomNow(signal)
      if (room === Infinity) return new Set(ids)
      const placed = await placedAmong(pool, ids)
      const known = placed.size === ids.length
      if (known && (ids.length > 0 || !(await somebodyWaits(pool, machine))))
        return placed
      await inTransaction(pool, (tx) => placeAll(tx, room, new Set(ids)))
      return placedAmong(pool, ids)
    },

    async placeBuild(begin, signal) {
      const room = await roomNow(signal)
      return inTransaction(pool, async (tx) => {
        if (buildMemory <= room && room < Infinity) {
          await lockCapacity(tx, machine)
          const { used } = await promised(tx)
          if (used + buildMemory > room) return false
        }
        await begin(tx)
        return true
      })
    },
  }

  async function roomNow(signal: AbortSignal): Promise<number> {
    const { memory } = await runtime.capacity(signal)
    return roomOf(memory, memoryFactor())
  }

  function promised(tx: Queryable): Promise<Omit<Promised, 'room'>> {
    return promisedMemory(tx, machine, { sizes: sizes(), buildMemory })
  }

  /** `asked`: whoever asked for these looks at them by itself. */
  async function placeAll(
    tx: Queryable,
    room: number,
    asked: ReadonlySet<DynoId>,
  ): Promise<void> {
    await lockCapacity(tx, machine)
    const { used, largestWeb } = await promised(tx)
    const unplaced = await lockUnplaced(tx, machine)
    const candidates = unplaced.map((it) => ({
      ...it,
      memory: sizeOf(it).memory,
      isWeb: it.type === 'web',
    }))
    const placed = new Set(placeable(candidates, { room, used, largestWeb }))
    const now = clock.now()

    await markPlaced(tx, [...placed], now)
    const refused = unplaced.filter((it) => !placed.has(it.id) && it.waitingFor === null)
    await sayWaiting(tx, refused, { room, now })
    const awaited = unplaced.filter((it) => placed.has(it.id) && !asked.has(it.id))
    await wakeAll(tx, awaited.map(keeperOf))
  }

  async function sayWaiting(
    tx: Queryable,
    refused: readonly Unplaced[],
    { room, now }: { readonly room: number; readonly now: Date },
  ): Promise<void> {
    if (refused.length === 0) return
    await markWaiting(
      tx,
      refused.map((it) => it.id),
      now,
    )
    const said = refused.map((it) => ({ it, message: waitingForRoom(sizeOf(it), room) }))
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

  function sizeOf({ id, size }: Unplaced): Size {
    const found = sizeNamed(size, sizes())
    if (!found) throw new Error(`dyno ${id} is of an unknown size, ${size}`)
    return found
  }
}

/** Who looks after it. */
function keeperOf({ id, formation, region }: Unplaced): Subject {
  return formation === null
    ? { kind: 'one-off', subject: id, region }
    : { kind: 'formation', subject: formation, region }
}
