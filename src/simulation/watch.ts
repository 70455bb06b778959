/**
 * The invariants. What was committed is compared with what truly runs, and with what has
 * happened, after every change; a Violation ends the simulation.
 */

import type { Client } from 'pg'

import { DAY, HOUR, MINUTE, SECOND } from '../lib/clock.ts'
import type { StopReason } from '../model/dyno.ts'
import type { AppId, DynoId, FormationId } from '../model/ids.ts'
import type { DynoStatus } from '../runtime/runtime.ts'
import type { Machine } from './machine.ts'
import {
  pendingReleases,
  type SeenDyno,
  seenDynos,
  type SeenFormation,
  seenFormations,
} from './observed.ts'
import { Past } from './past.ts'
import { RELEASE_TYPE } from '../model/one-off.ts'
import { hasTrueCause, type Known } from './true-causes.ts'
import { type Invariant, Violation } from './violation.ts'
import type { VirtualTime } from './virtual-time.ts'

/** A look may act on what it read so long ago. */
const STALE = 2 * MINUTE
const LONGEST_LIFE = DAY + 216 * MINUTE
/** Until one that is due to cycle has been replaced: others of its formation go first. */
const CYCLED_WITHIN = HOUR
/** Successor up and routed, predecessor gone: SIGKILL included. */
const REPLACED_WITHIN = 2 * MINUTE
const STABLE = HOUR
/** The least that a place waits after so many crashes in a row; jitter takes a tenth. */
const COOL_OFFS = [0, 10, 30, 60, 120, 300, 600, 1200].map((it) => it * 0.9 * SECOND)

interface Crashed {
  readonly dyno: SeenDyno
  readonly count: number
}

export class Watch {
  /** When a dyno of the formation was last told to go for its age. */
  readonly #cycled = new Map<FormationId, number>()
  readonly #time: VirtualTime
  readonly #machine: Machine
  readonly #client: Client
  readonly #tell: (line: string) => void
  readonly past: Past
  readonly causes = new Map<StopReason, number>()
  started = 0
  #dynos = new Map<DynoId, SeenDyno>()
  #formations = new Map<FormationId, SeenFormation>()
  /** Web places that serve, and must go on to until something befalls them. */
  readonly #owed = new Map<FormationId, Set<number>>()
  readonly #crashed = new Map<string, Crashed>()
  /** Of every dyno ever: also one whose row is down may still run, and must not. */
  readonly #places = new Map<DynoId, string>()
  /** Of every release's command ever: whose it is. */
  readonly #releaseCommands = new Map<DynoId, AppId>()
  /** When the first process of each dyno ever began. */
  readonly #began = new Map<DynoId, number>()
  /** When a one-off's row was seen to be ending. */
  readonly #ending = new Map<DynoId, number>()
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

  /** Not the manager's doing: the place may be unserved for it, if this one served there. */
  befell(id: DynoId): void {
    const dyno = this.#dynos.get(id)
    if (!dyno?.formation || dyno.state !== 'up') return
    this.#owed.get(dyno.formation)?.delete(dyno.ordinal)
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
        if (dyno.formation && dyno.stopReason === 'cycling')
          this.#cycled.set(dyno.formation, this.#time.now)
      }
    }
    this.#dynos = new Map(
      seen.filter((it) => it.state !== 'down').map((it) => [it.id, it]),
    )
    this.#served(statuses)
  }

  /** When everything has been left alone for long enough. */
  async calm(): Promise<void> {
    const statuses = await this.#machine.statuses()
    for (const formation of this.#formations.values()) {
      if (!this.#cycles(formation.id)) this.#converged(formation)
    }
    for (const dyno of this.#dynos.values()) {
      if (dyno.formation && this.#cycles(dyno.formation)) continue
      if (this.#endsNow(dyno.id)) continue
      if (statuses.get(dyno.id)?.is !== 'running') {
        throw new Violation('converges', `${placeOf(dyno)} ${dyno.id} does not run`)
      }
      this.#young(dyno)
    }
    const pending = await pendingReleases(this.#client)
    if (pending.length > 0) {
      throw new Violation('converges', `still pending: v${pending.join(', v')}`)
    }
    const unknown = [...statuses.keys()].filter((id) => !this.#dynos.has(id))
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

  /** Unless its machine lost it without a trace: then nobody can know that it ran. */
  #once(id: DynoId, { startedAt }: { readonly startedAt: Date }): void {
    const began = this.#began.get(id) ?? startedAt.getTime()
    this.#began.set(id, began)
    const wasLost = this.#machine.fates.get(id)?.has('host lost') === true
    if (began === startedAt.getTime() || wasLost) return
    throw new Violation('one process a dyno', `${id} was started twice`)
  }

  #converged({ id, name, type, quantity, size, release }: SeenFormation): void {
    const dynos = [...this.#dynos.values()].filter((it) => it.formation === id)
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

  #young(dyno: SeenDyno): void {
    const started = dyno.startedAt?.getTime() ?? this.#time.now
    const age = this.#time.now - started
    if (age > LONGEST_LIFE + CYCLED_WITHIN) {
      const hours = (age / HOUR).toFixed(1)
      throw new Violation('cycles daily', `${placeOf(dyno)} ${dyno.id} is ${hours} h old`)
    }
  }

  #appeared(dyno: SeenDyno): void {
    this.started++
    if (dyno.formation) this.#places.set(dyno.id, pathOf(dyno))
    else if (dyno.type === RELEASE_TYPE) this.#releaseCommands.set(dyno.id, dyno.app)
    const place = pathOf(dyno)
    const crashed = this.#crashed.get(place)
    if (!crashed) return
    const { dyno: old, count } = crashed
    const excused =
      dyno.release !== old.release ||
      dyno.size !== old.size ||
      this.past.wishedSince(dyno.app, crashTime(old))
    if (excused) {
      this.#crashed.delete(place)
      return
    }
    const waited = dyno.createdAt.getTime() - crashTime(old)
    const least = COOL_OFFS[Math.min(count, COOL_OFFS.length) - 1] ?? 0
    if (waited < least) {
      throw new Violation(
        'cool-off respected',
        `${placeOf(dyno)} was started ${waited / SECOND} s after its crash number ${count}`,
      )
    }
  }

  #moved(was: SeenDyno | undefined, dyno: SeenDyno): void {
    const leaving = dyno.leaving ? ', leaving' : ''
    const because = dyno.stopReason ? ` (${dyno.stopReason})` : ''
    this.#tell(
      `  ${this.#names.get(dyno.app)} ${placeOf(dyno)} ${dyno.id.slice(0, 8)} ${was?.state ?? '-'} → ${dyno.state}${leaving}${because}`,
    )
    if (!dyno.formation && dyno.state === 'stopping')
      this.#ending.set(dyno.id, this.#time.now)
    if (dyno.state === 'crashed') this.#hasCrashed(dyno)
    // Who goes for another cause clears the count of the place.
    const goes = dyno.leaving ? !was?.leaving : dyno.state === 'stopping'
    if (goes) this.#crashed.delete(pathOf(dyno))
    if (dyno.state === 'down' && was?.state !== 'down') this.#isDown(dyno)
  }

  #hasCrashed(dyno: SeenDyno): void {
    const place = pathOf(dyno)
    const before = this.#crashed.get(place)
    const ran = dyno.startedAt ? crashTime(dyno) - dyno.startedAt.getTime() : 0
    const anew =
      ran >= STABLE ||
      !before ||
      before.dyno.release !== dyno.release ||
      this.past.wishedSince(dyno.app, crashTime(before.dyno))
    this.#crashed.set(place, { dyno, count: anew ? 1 : before.count + 1 })
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

  #served(statuses: ReadonlyMap<DynoId, DynoStatus>): void {
    for (const { id, name, type, quantity, idle } of this.#formations.values()) {
      if (type !== 'web') continue
      const serve = [...this.#dynos.values()].filter(
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

function serves(dyno: SeenDyno, status: DynoStatus | undefined): boolean {
  return (
    dyno.state === 'up' &&
    dyno.routed &&
    status?.is === 'running' &&
    status.listening &&
    !status.terminated
  )
}

function crashTime({ exitedAt, createdAt }: SeenDyno): number {
  return (exitedAt ?? createdAt).getTime()
}

/** Which place of all. */
function pathOf({ formation, ordinal }: SeenDyno): string {
  return `${formation} ${ordinal}`
}

function placeOf({ type, ordinal }: SeenDyno): string {
  return `${type}.${ordinal}`
}
