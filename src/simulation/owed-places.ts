/** Web places that serve, and must go on to until something befalls them. */

import type { DynoId, FormationId } from '../model/ids.ts'
import type { DynoStatus } from '../runtime/runtime.ts'
import type { SeenDyno, SeenFormation } from './observed.ts'
import { Violation } from './violation.ts'

export class OwedPlaces {
  readonly #owed = new Map<FormationId, Set<number>>()

  /** Not the manager's doing: the place may be unserved for it, if this one served there. */
  befell(dyno: SeenDyno): void {
    if (!dyno.formation || dyno.state !== 'up') return
    this.#owed.get(dyno.formation)?.delete(dyno.ordinal)
  }

  /** After every change: whether each place that was served is, if it is wanted still. */
  served(
    formations: Iterable<SeenFormation>,
    dynos: readonly SeenDyno[],
    statuses: ReadonlyMap<DynoId, DynoStatus>,
  ): void {
    for (const { id, name, type, quantity, idle } of formations) {
      if (type !== 'web') continue
      const serve = dynos.filter(
        (it) => it.formation === id && serves(it, statuses.get(it.id)),
      )
      const places = new Set(serve.map((it) => it.ordinal))
      const owed = this.#owed.get(id) ?? new Set()
      for (const place of owed) {
        if (place > quantity || idle || places.has(place)) continue
        throw new Violation(
          'no web place unserved',
          `nobody serves web.${place} of ${name}`,
        )
      }
      const still = [...places].filter((place) => place <= quantity && !idle)
      this.#owed.set(id, new Set(still))
    }
  }
}

function serves(dyno: SeenDyno, status: DynoStatus | undefined): boolean {
  return (
    dyno.state === 'up' &&
    dyno.routed &&
    status?.is === 'running' &&
    status.listening &&
    !status.terminated
  )
}
