/**
 * The invariants. What was committed is compared with what truly runs, and with what has
 * happened, after every change; a Violation ends the simulation. Here: what is seen, what runs
 * beside what, and the telling. Beside it, a file for each thing that is remembered of the past:
 * `crash-counts.ts`, `owed-places.ts`, `convergence.ts`; and what a stop's cause must be, `true-causes.ts`.
 */

import type { Client } from 'pg'

import { MINUTE } from '../lib/clock.ts'
import { type DynoState, placeOf, type StopReason } from '../model/dyno.ts'
import type { AppId, DynoId, FormationId } from '../model/ids.ts'
import { RELEASE_TYPE } from '../model/one-off.ts'
import { Convergence } from './convergence.ts'
import { CrashCounts } from './crash-counts.ts'
import type { Machine } from './machine.ts'
import {
  pathOf,
  pendingReleases,
  type SeenDyno,
  seenDynos,
  type SeenFormation,
  seenFormations,
} from './observed.ts'
import { OwedPlaces } from './owed-places.ts'
import { Past } from './past.ts'
import { hasTrueCause, type Known } from './true-causes.ts'
import { type Invariant, Violation } from './violation.ts'
import type { VirtualTime } from './virtual-time.ts'

/** A look may act on what it read so long ago. */
const STALE = 2 * MINUTE
/** Whose address may be given to another. */
const RESTING: readonly DynoState[] = ['down', 'idle']

export class Watch {
  readonly #time: VirtualTime
  readonly #machine: Machine
  readonly #client: Client
  readonly #tell: (line: string) => void
  readonly past: Past
  readonly causes = new Map<StopReason, number>()
  started = 0
  #dynos = new Map<DynoId, SeenDyno>()
  #formations = new Map<FormationId, SeenFormation>()
  readonly #owed = new OwedPlaces()
  readonly #crashes: CrashCounts
  readonly #convergence: Convergence
  /** Of every dyno ever: also one whose row is down may still run, and must not. */
  readonly #places = new Map<DynoId, string>()
  /** Of every release's command ever: whose it is. */
  readonly #releaseCommands = new Map<DynoId, AppId>()
  /** When the first process of each dyno ever began. */
  readonly #began = new Map<DynoId, number>()
  readonly #names = new Map<AppId, string>()
  #managerSince = 0

  constructor(
    client: Client,
    machine: Machine,
    time: VirtualTime,
    tell: (line: string) => void,
  ) {
    this.#client = client
    this.#machine = machine
    this.#time = time
    this.#tell = tell
    this.past = new Past(time)
    this.#crashes = new CrashCounts(this.past)
    this.#convergence = new Convergence(time)
  }

  /** Those that may be crashed or lost now, in their order. */
  async running(): Promise<DynoId[]> {
    const statuses = await this.#machine.statuses()
    return [...statuses].filter(([, it]) => it.is === 'running').map(([id]) => id)
  }

  /** From now on another manager looks. */
  managerBegan(): void {
    this.#managerSince = this.#time.now
  }

  /** Something happened to it that is not the manager's doing. */
  befell(id: DynoId): void {
    const dyno = this.#dynos.get(id)
    if (dyno) this.#owed.befell(dyno)
  }

  terminating(id: DynoId): Violation | undefined {
    const dyno = this.#dynos.get(id)
    return dyno?.routed
      ? new Violation('no SIGTERM while routed', `${placeOf(dyno)} ${id} is routed`)
      : undefined
  }

  /** After every start: what runs beside what. */
  async processes(): Promise<void> {
    const statuses = await this.#machine.statuses()
    const addresses = new Map<string, DynoId>()
    const places = new Map<string, DynoId>()
    const commands = new Map<string, DynoId>()
    for (const [id, status] of statuses) {
      if (status.is === 'running' || status.is === 'exited') this.#once(id, status)
      const spec = this.#machine.runtime.spec(id)
      if (!spec || status.is !== 'running') continue
      unique(addresses, spec.address, id, 'one address, one dyno')
      const app = this.#releaseCommands.get(id)
      if (app) unique(commands, app, id, 'one release command')
      const place = this.#places.get(id)
      if (place && spec.port === undefined) unique(places, place, id, 'no worker doubled')
    }
  }

  /** After every change that was committed. */
  async rows(): Promise<void> {
    const statuses = await this.#machine.statuses()
    for (const it of await seenFormations(this.#client)) {
      this.#formations.set(it.id, it)
      this.#names.set(it.app, it.name)
      this.past.formation(it)
    }
    const before = this.#dynos
    const seen = await seenDynos(this.#client, [...before.keys()])
    for (const dyno of seen) {
      const was = before.get(dyno.id)
      if (!was) this.#appeared(dyno)
      if (was?.state !== dyno.state || was.leaving !== dyno.leaving)
        this.#moved(was, dyno)
      if (dyno.stopReason && was?.stopReason !== dyno.stopReason) {
        this.#stops(dyno)
        this.#convergence.stops(dyno)
      }
    }
    this.#dynos = new Map(
      seen.filter((it) => it.state !== 'down').map((it) => [it.id, it]),
    )
    this.#owed.served(this.#formations.values(), [...this.#dynos.values()], statuses)
  }

  /** When everything has been left alone for long enough. */
  async calm(): Promise<void> {
    const statuses = await this.#machine.statuses()
    const pending = await pendingReleases(this.#client)
    const formations = this.#formations.values()
    this.#convergence.reached({ formations, dynos: this.#dynos, statuses, pending })
  }

  /** Unless its machine lost it without a trace: then nobody can know that it ran. */
  #once(id: DynoId, { startedAt }: { readonly startedAt: Date }): void {
    const began = this.#began.get(id) ?? startedAt.getTime()
    this.#began.set(id, began)
    const wasLost = this.#machine.fates.get(id)?.has('host lost') === true
    if (began === startedAt.getTime() || wasLost) return
    throw new Violation('one process a dyno', `${id} was started twice`)
  }

  #appeared(dyno: SeenDyno): void {
    this.started++
    if (dyno.formation) this.#places.set(dyno.id, pathOf(dyno))
    else if (dyno.type === RELEASE_TYPE) this.#releaseCommands.set(dyno.id, dyno.app)
    this.#crashes.appeared(dyno)
  }

  #moved(was: SeenDyno | undefined, dyno: SeenDyno): void {
    const leaving = dyno.leaving ? ', leaving' : ''
    const because = dyno.stopReason ? ` (${dyno.stopReason})` : ''
    this.#tell(
      `  ${this.#names.get(dyno.app)} ${placeOf(dyno)} ${dyno.id.slice(0, 8)} ${was?.state ?? '-'} → ${dyno.state}${leaving}${because}`,
    )
    this.#convergence.moved(dyno)
    this.#crashes.moved(was, dyno)
    if ((RESTING.includes(dyno.state) || !dyno.address) && dyno.routed) {
      throw new Violation('no end while routed', `${placeOf(dyno)} ${dyno.id} is routed`)
    }
    if (dyno.state === 'down' && was?.state !== 'down') this.#isDown(dyno)
  }

  #isDown(dyno: SeenDyno): void {
    const { stopReason } = dyno
    if (!stopReason) {
      throw new Violation('one true cause', `${placeOf(dyno)} ${dyno.id} went for none`)
    }
    this.causes.set(stopReason, (this.causes.get(stopReason) ?? 0) + 1)
  }

  #stops(dyno: SeenDyno): void {
    if (hasTrueCause(dyno, this.#knownOf(dyno))) return
    throw new Violation(
      'one true cause',
      `${placeOf(dyno)} ${dyno.id} stops for "${dyno.stopReason}", which is not so`,
    )
  }

  #knownOf({ id, formation, createdAt, startedAt }: SeenDyno): Known {
    const { now } = this.#time
    return {
      fates: this.#machine.fates.get(id) ?? new Set(),
      age: now - (startedAt ?? createdAt).getTime(),
      had: now - Math.max(createdAt.getTime(), this.#managerSince),
      command: this.#machine.runtime.spec(id)?.command ?? '',
      lately: (claim) => formation !== null && this.past.lately(formation, STALE, claim),
    }
  }
}

function unique(
  seen: Map<string, DynoId>,
  key: string,
  id: DynoId,
  invariant: Invariant,
): void {
  const other = seen.get(key)
  if (other) throw new Violation(invariant, `${key} is both ${other} and ${id}`)
  seen.set(key, id)
}
