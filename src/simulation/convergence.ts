/**
 * Whether what there is has become what was asked for, once everything has been left alone for long
 * enough: every place filled by a dyno that is as wanted, none too old, none that nobody knows.
 */

import { DAY, HOUR, MINUTE } from '../lib/clock.ts'
import { placeOf } from '../model/dyno.ts'
import type { DynoId, FormationId } from '../model/ids.ts'
import type { DynoStatus } from '../runtime/runtime.ts'
import type { SeenDyno, SeenFormation } from './observed.ts'
import { Violation } from './violation.ts'
import type { VirtualTime } from './virtual-time.ts'

const LONGEST_LIFE = DAY + 216 * MINUTE
/** Until one that is due to cycle has been replaced: others of its formation go first. */
const CYCLED_WITHIN = HOUR
/** Successor up and routed, predecessor gone: SIGKILL included. */
const REPLACED_WITHIN = 2 * MINUTE

/** What there is at a moment of calm. */
export interface Calm {
  readonly formations: Iterable<SeenFormation>
  readonly dynos: ReadonlyMap<DynoId, SeenDyno>
  readonly statuses: ReadonlyMap<DynoId, DynoStatus>
  /** Versions of releases that wait for their command. */
  readonly pending: readonly number[]
}

export class Convergence {
  /** When a dyno of the formation was last told to go for its age. */
  readonly #cycled = new Map<FormationId, number>()
  /** When a one-off's row was seen to be ending. */
  readonly #ending = new Map<DynoId, number>()
  readonly #time: VirtualTime

  constructor(time: VirtualTime) {
    this.#time = time
  }

  /** A dyno was seen in another state, or leaving. */
  moved({ id, formation, state }: SeenDyno): void {
    if (!formation && state === 'stopping') this.#ending.set(id, this.#time.now)
  }

  /** A dyno was seen to stop, by the cause in its row. */
  stops({ formation, stopReason }: SeenDyno): void {
    if (formation && stopReason === 'cycling') this.#cycled.set(formation, this.#time.now)
  }

  reached({ formations, dynos, statuses, pending }: Calm): void {
    for (const formation of formations) {
      if (!this.#cycles(formation.id)) converged(formation, [...dynos.values()])
    }
    for (const dyno of dynos.values()) {
      if (dyno.formation && this.#cycles(dyno.formation)) continue
      if (this.#endsNow(dyno.id)) continue
      if (statuses.get(dyno.id)?.is !== 'running') {
        throw new Violation('converges', `${placeOf(dyno)} ${dyno.id} does not run`)
      }
      this.#young(dyno)
    }
    if (pending.length > 0) {
      throw new Violation('converges', `still pending: v${pending.join(', v')}`)
    }
    const unknown = [...statuses.keys()].filter((id) => !dynos.has(id))
    if (unknown.length > 0) {
      throw new Violation('no leak', `nobody knows ${unknown.join(', ')}`)
    }
  }

  /** No time of calm keeps a dyno from being cycled at its moment. */
  #cycles(formation: FormationId): boolean {
    const last = this.#cycled.get(formation)
    return last !== undefined && this.#time.now - last < REPLACED_WITHIN
  }

  /** Nor does it keep a one-off from ending at its own. */
  #endsNow(oneOff: DynoId): boolean {
    const since = this.#ending.get(oneOff)
    return since !== undefined && this.#time.now - since < REPLACED_WITHIN
  }

  #young(dyno: SeenDyno): void {
    const started = dyno.startedAt?.getTime() ?? this.#time.now
    const age = this.#time.now - started
    if (age > LONGEST_LIFE + CYCLED_WITHIN) {
      const hours = (age / HOUR).toFixed(1)
      throw new Violation('cycles daily', `${placeOf(dyno)} ${dyno.id} is ${hours} h old`)
    }
  }
}

function converged(
  { id, name, type, quantity, size, release }: SeenFormation,
  all: readonly SeenDyno[],
): void {
  const dynos = all.filter((it) => it.formation === id)
  const good = dynos.filter(
    (it) =>
      it.state === 'up' &&
      !it.leaving &&
      it.size === size &&
      it.release === release &&
      (type !== 'web' || it.routed),
  )
  if (good.length !== quantity || dynos.length !== quantity) {
    const there = dynos.map((it) => `${placeOf(it)} ${it.state}`).join(', ')
    throw new Violation(
      'converges',
      `${name} asks for ${quantity} ${type} and has ${there || 'none'}`,
    )
  }
}
