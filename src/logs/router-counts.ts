/**
 * Counts requests by app and minute in memory, and says what is to be written down.
 *
 * What is kept of a minute is its counts up to now, under a name of this process: writing
 * them down twice changes nothing, and a successor's counts of the same minute stand beside
 * ours. So the death of this process loses what it counted since it last wrote, and no more.
 * A clock that is set back comes to minutes again that were written: then the name is another, and
 * what we come to once more takes the place of what was written of it. The rest stays: which of the
 * two clocks was right nobody knows, and it may be set forward again.
 */

import { randomUUID } from 'node:crypto'

import { type Clock, MINUTE } from '../lib/clock.ts'
import { type AppId, isUuid } from '../model/ids.ts'
import { bucketOf } from '../model/latency-histogram.ts'
import {
  COUNTS,
  layout,
  type RequestMeasure,
  sparse,
  type SparseMeasures,
  together,
} from '../model/router-measures.ts'
import type { CountedMinute } from '../store/router-measures.ts'

/** What records make us remember has an end, whoever sent them. */
const MOST_APPS = 10_000
/** Milliseconds, 24 days: so that no record can spoil a sum. */
const LONGEST_TIME = 2 ** 31
/** A clock is slewed by less: then the minute that it had got to goes on. */
const SET_BACK = MINUTE
/** While the database is away. */
const MOST_MINUTES_WAITING = 10

interface Cell {
  readonly counts: Uint32Array
  serviceTotal: number
  serviceLongest: number
  changed: boolean
}

interface Minute {
  readonly at: Date
  readonly writer: string
  /** This process has been there before. */
  readonly comesAgain: boolean
  readonly cells: Map<AppId, Cell>
}

const { STATUS, CODE, SERVICE, CONNECT, QUEUE } = layout

export class RouterCounts {
  readonly #clock: Clock
  #writer = randomUUID()
  #minutes: Minute[] = []
  /** The latest minute that there was. */
  #latest = -Infinity
  /** Of minutes that are over, since this process started. */
  readonly #before = new Map<AppId, SparseMeasures>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** For requests that ended just now: the clock is asked once for all of them. */
  counter(): (app: AppId, measure: RequestMeasure) => void {
    const { cells } = this.#present()
    return (app, measure) => {
      let cell = cells.get(app)
      if (!cell) {
        if (cells.size >= MOST_APPS || !isUuid(app)) return
        cell = {
          counts: new Uint32Array(COUNTS),
          serviceTotal: 0,
          serviceLongest: 0,
          changed: true,
        }
        cells.set(app, cell)
      }
      add(measure, cell)
    }
  }

  /**
   * Has `write` write down what has changed since it last did; of the minutes that come `again`
   * it is to forget what others have written. If it fails, all of it is written the next time.
   */
  async flush(
    write: (
      counted: readonly CountedMinute[],
      writer: string,
      again: readonly Date[],
    ) => Promise<void>,
  ): Promise<void> {
    const present = this.#present()
    const written = this.#minutes
    const changed = written.flatMap(({ at, writer, cells }) =>
      [...cells]
        .filter(([, cell]) => cell.changed)
        .map(([app, cell]) => ({ writer, cell, counted: countedOf(app, at, cell) })),
    )
    for (const { cell } of changed) cell.changed = false
    try {
      for (const [writer, minutes] of Map.groupBy(written, (it) => it.writer)) {
        const its = changed.filter((it) => it.writer === writer)
        const again = minutes.flatMap((it) => (it.comesAgain ? [it.at] : []))
        if (its.length + again.length === 0) continue
        await write(
          its.map((it) => it.counted),
          writer,
          again,
        )
      }
    } catch (error) {
      for (const { cell } of changed) cell.changed = true
      throw error
    }
    this.#end(written.filter((it) => it !== present && this.#minutes.includes(it)))
  }

  /** All that was counted since this process started. */
  totals(): (SparseMeasures & { readonly app: AppId })[] {
    const now = new Map(this.#before)
    for (const { cells } of this.#minutes) {
      for (const [app, cell] of cells) addTo(now, app, sparse(cell))
    }
    return [...now].map(([app, it]) => ({ app, ...it }))
  }

  /** Forgets the totals of apps that there are not any more. */
  forget(present: ReadonlySet<AppId>): void {
    for (const app of this.#before.keys()) {
      if (!present.has(app)) this.#before.delete(app)
    }
  }

  /** The apps that have totals of minutes that are over. */
  apps(): AppId[] {
    return [...this.#before.keys()]
  }

  #end(minutes: readonly Minute[]): void {
    for (const [app, cell] of minutes.flatMap(({ cells }) => [...cells])) {
      addTo(this.#before, app, sparse(cell))
    }
    this.#minutes = this.#minutes.filter((it) => !minutes.includes(it))
  }

  #present(): Minute {
    const now = this.#clock.now().getTime()
    const at = Math.floor(now / MINUTE) * MINUTE
    const last = this.#minutes.at(-1)
    const setBack = last !== undefined && now < last.at.getTime() - SET_BACK
    if (last && at <= last.at.getTime() && !setBack) return last
    if (setBack) this.#writer = randomUUID()
    const minute = {
      at: new Date(at),
      writer: this.#writer,
      comesAgain: at <= this.#latest,
      cells: new Map<AppId, Cell>(),
    }
    this.#latest = Math.max(this.#latest, at)
    this.#minutes.push(minute)
    this.#end(this.#minutes.slice(0, -MOST_MINUTES_WAITING))
    return minute
  }
}

function add(
  { status, code, service, connect, queue }: RequestMeasure,
  cell: Cell,
): void {
  const { counts } = cell
  increase(counts, STATUS + Math.min(5, Math.floor(status / 100)))
  if (code !== undefined) increase(counts, CODE + code)
  if (connect !== undefined) increase(counts, CONNECT + bucketOf(connect))
  if (queue !== undefined) increase(counts, QUEUE + bucketOf(queue))
  if (service !== undefined) {
    increase(counts, SERVICE + bucketOf(service))
    const time = Math.min(service, LONGEST_TIME)
    cell.serviceTotal += time
    if (time > cell.serviceLongest) cell.serviceLongest = time
  }
  cell.changed = true
}

function increase(counts: Uint32Array, key: number): void {
  counts[key] = (counts[key] ?? 0) + 1
}

function countedOf(app: AppId, at: Date, cell: Cell): CountedMinute {
  return { app, at, ...sparse(cell) }
}

function addTo(all: Map<AppId, SparseMeasures>, app: AppId, more: SparseMeasures): void {
  const had = all.get(app)
  if (!had && all.size >= MOST_APPS) return
  all.set(app, had ? sparse(together([had, more])) : more)
}
