/**
 * Asks dynos with a health check how they are, and keeps what they last said. It is a view:
 * whoever begins anew, as after the manager's death, knows nothing at first, and what is
 * not known changes nothing.
 */

import type { Pool } from 'pg'

import { pause, SECOND } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { Dyno } from '../model/dyno.ts'
import type { HealthCheck } from '../model/health-check.ts'
import type { DynoId, FormationId } from '../model/ids.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { wake } from '../store/work.ts'
import type { Health } from './facts.ts'

interface HealthDeps {
  readonly runtime: Pick<Runtime, 'probe'>
  readonly pool: Pool
  readonly region: string
  readonly log: Log
}

export interface Watched {
  readonly formation: FormationId
  readonly check: HealthCheck | null
  /** Those that listen. */
  readonly dynos: readonly Pick<Dyno, 'id' | 'state'>[]
}

export type CheckHealth = (watched: Watched) => ReadonlyMap<DynoId, Health>

/** A dyno that is not ready yet is asked this often, or it would be up later than it could. */
const WHILE_NOT_READY = SECOND
const NOBODY: ReadonlyMap<DynoId, Health> = new Map()

/**
 * Told, look by look, whom of a formation to ask from now on, it says what it knows of them
 * by then. What matters to the planner wakes the formation.
 */
export function healthChecker(deps: HealthDeps, signal: AbortSignal): CheckHealth {
  const asked = new Map<FormationId, ReadonlyMap<DynoId, Asking>>()

  return ({ formation, check, dynos }) => {
    const before = asked.get(formation)
    if (!check && !before) return NOBODY

    const now = new Map<DynoId, Asking>()
    for (const dyno of check ? dynos : []) {
      const same = before?.get(dyno.id)
      const goesOn = same && check && same.asks(check)
      if (goesOn) now.set(dyno.id, same)
      else if (check) now.set(dyno.id, new Asking(dyno, check, changed, { deps, signal }))
    }
    for (const [id, it] of before ?? []) if (now.get(id) !== it) it.stop()
    if (now.size > 0) asked.set(formation, now)
    else asked.delete(formation)
    return new Map([...now].flatMap(([id, { health }]) => (health ? [[id, health]] : [])))

    function changed(): void {
      const { pool, region, log } = deps
      wake(pool, { kind: 'formation', subject: formation, region }).catch(
        (error: unknown) =>
          log.error('a change of health was lost', error, { formation }),
      )
    }
  }
}

/** One dyno is asked again and again, until it is stopped. */
class Asking {
  readonly #check: HealthCheck
  readonly #stopped = new AbortController()
  #health: Health | undefined

  constructor(
    { id, state }: Watched['dynos'][number],
    check: HealthCheck,
    changed: () => void,
    { deps, signal }: { deps: HealthDeps; signal: AbortSignal },
  ) {
    this.#check = check
    const until = AbortSignal.any([this.#stopped.signal, signal])
    const ask = () => deps.runtime.probe(id, check, until)
    void this.#run(ask, changed, { isReady: state === 'up', until })
  }

  get health(): Health | undefined {
    return this.#health
  }

  asks(check: HealthCheck): boolean {
    return JSON.stringify(check) === JSON.stringify(this.#check)
  }

  stop(): void {
    this.#stopped.abort()
  }

  async #run(
    ask: () => Promise<number | undefined>,
    changed: () => void,
    { isReady, until }: { isReady: boolean; until: AbortSignal },
  ): Promise<void> {
    const { interval, failures } = this.#check
    let ready = isReady
    while (!until.aborted) {
      const begun = performance.now()
      // Who could not be asked is known no better than before.
      const said = await ask().then(healthSaid, () => undefined)
      if (until.aborted) return
      if (said) {
        const before = this.#health
        const now = said(before)
        this.#health = now
        ready ||= now.well
        // A wake may get lost, and an up dyno's formation is not looked at by itself: as long as it is sick.
        const isSick = ready ? now.failures >= failures : now.failures === failures
        if (now.well !== before?.well || isSick) changed()
      }
      const every = ready ? interval : Math.min(interval, WHILE_NOT_READY)
      await pause(Math.max(0, begun + every - performance.now()), until)
    }
  }
}

/** What a status says of a dyno's health, with what was known before. Undefined: no answer in time. */
function healthSaid(status: number | undefined) {
  return (before: Health | undefined): Health => {
    const well = status !== undefined && status >= 200 && status < 400
    if (well) return { well, everWell: true, failures: 0, fault: '' }
    const fault = status === undefined ? 'it did not answer' : `it answered ${status}`
    const everWell = before?.everWell ?? false
    return { well, everWell, failures: (before?.failures ?? 0) + 1, fault }
  }
}
