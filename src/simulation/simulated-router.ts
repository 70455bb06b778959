/**
 * Stands in for HAProxy and the look that steers it, as far as managers can tell: by the same
 * statements it says who is routed, and who has left once the last request has ended. It
 * lives on when a manager dies.
 */

import type { Pool } from 'pg'

import { SECOND } from '../lib/clock.ts'
import type { DynoId, RegionId } from '../model/ids.ts'
import { inTransaction } from '../store/queryable.ts'
import {
  recordLeft,
  recordReachable,
  routerFacts,
  type WebDyno,
} from '../store/routes.ts'
import type { Look } from '../work/loop.ts'
import type { Random } from './random.ts'
import { type Mortal, never } from './turns.ts'
import type { VirtualTime } from './virtual-time.ts'

/** Most dynos have no request under way when they leave; some have one that takes its time. */
const BUSY = 0.2
const LONGEST_REQUEST = 30 * SECOND

export class SimulatedRouter {
  readonly #time: VirtualTime
  readonly #random: Random
  readonly #lastRequestEnds = new Map<DynoId, number>()
  #slowUntil = 0
  #slowBy = 0

  constructor(time: VirtualTime, random: Random) {
    this.#time = time
    this.#random = random
  }

  /** Each of its looks takes `by` milliseconds, for the next so many. */
  slowDown(by: number, milliseconds: number): void {
    this.#slowBy = by
    this.#slowUntil = this.#time.now + milliseconds
  }

  look(pool: Pool, mortal: Mortal): Look {
    return async (subject) => {
      if (this.#time.now < this.#slowUntil) {
        await this.#time.sleep(this.#slowBy)
        if (mortal.dead) return never()
      }
      const facts = await routerFacts(pool, subject as RegionId)
      if (!facts) throw new Error('there is no region')
      const { region, dynos } = facts
      const fresh = dynos.filter((it) => it.state === 'up' && !it.routed)
      const leaving = dynos.filter((it) => it.state !== 'up' && it.routed)
      const left = leaving.filter((it) => this.#time.now >= this.#endOf(it))
      if (fresh.length + left.length > 0) {
        await inTransaction(pool, async (tx) => {
          await recordReachable(tx, region.name, ids(fresh))
          await recordLeft(tx, region.name, ids(left))
        })
      }
      const waits = leaving
        .filter((it) => !left.includes(it))
        .map((it) => this.#endOf(it) - this.#time.now)
      return Math.min(...waits)
    }
  }

  #endOf({ id, state }: WebDyno): number {
    // Requests of a dyno that is gone have ended.
    if (state !== 'stopping') return 0
    const known = this.#lastRequestEnds.get(id)
    if (known !== undefined) return known
    const takes = this.#random.chance(BUSY) ? this.#random.whole(1, LONGEST_REQUEST) : 0
    this.#lastRequestEnds.set(id, this.#time.now + takes)
    return this.#time.now + takes
  }
}

function ids(dynos: readonly WebDyno[]): DynoId[] {
  return dynos.map(({ id }) => id)
}
