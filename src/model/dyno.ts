import type { AppId, DynoId, FormationId, ReleaseId } from './ids.ts'

/** One process of an app, as `heroku ps` would list it. */
export interface Dyno {
  readonly id: DynoId
  readonly app: AppId
  /** Null: a one-off, which belongs to none. */
  readonly formation: FormationId | null
  readonly release: ReleaseId
  /** The process type: the `web` in `web.1`. */
  readonly type: string
  /** The 1 in `web.1`: with the type, the dyno's place. */
  readonly ordinal: number
  readonly size: string
  readonly command: string
  readonly state: DynoState
  /** Still serving, though its place is already another's: only ever true of web dynos. */
  readonly leaving: boolean
  readonly stopReason: StopReason | null
  /** From when it is placed, while anything of it may be there; null: it holds none. */
  readonly address: string | null
  readonly port: number
  readonly routed: boolean
  readonly crashes: number
  readonly createdAt: Date
  readonly startedAt: Date | null
  /** Set by `DELETE /apps/{app}/dynos/{dyno}`; the manager does the rest. */
  readonly restartRequestedAt: Date | null
  /** Why, if not by hand alone. 'stop': ps:stop. */
  readonly restartBecause: 'memory' | 'stop' | null
  readonly terminatedAt: Date | null
  readonly killedAt: Date | null
  readonly exitedAt: Date | null
  readonly exitStatus: number | null
  readonly nextAttemptAt: Date | null
  /** Why a starting dyno is not placed yet: 'capacity'. */
  readonly waitingFor: string | null
  readonly updatedAt: Date
}

export type DynoState = 'starting' | 'up' | 'stopping' | 'crashed' | 'idle' | 'down'

/** Why a dyno stops: one true cause, kept in its row. */
export type StopReason =
  | 'release'
  | 'size'
  | 'restart'
  | 'cycling'
  | 'scale down'
  | 'crash'
  | 'boot timeout'
  | 'out of memory'
  | 'host lost'
  // By `mayfly down`.
  | 'host restart'
  | 'start failed'
  | 'idling'
  | 'memory'
  | 'unhealthy'
  | 'checksum'
  // Of one-offs.
  | 'exit'
  | 'stop'
  | 'time to live'
  | 'attach error'
  | 'client gone'
  | 'release timeout'
  | 'superseded'
  | 'app destroyed'

const reachable: Record<DynoState, readonly DynoState[]> = {
  starting: ['up', 'stopping', 'crashed'],
  up: ['stopping', 'crashed'],
  stopping: ['crashed', 'down', 'idle'],
  crashed: ['down', 'idle'],
  idle: ['down'],
  down: [],
}

export function canBecome(from: DynoState, to: DynoState): boolean {
  return reachable[from].includes(to)
}

/** What its manager noted, and goes by. When it is to be started again is told from when it crashed. */
export function timesNotedOf(dyno: Dyno): (Date | null)[] {
  const { createdAt, startedAt, terminatedAt, killedAt, exitedAt, updatedAt } = dyno
  return [createdAt, startedAt, terminatedAt, killedAt, exitedAt, updatedAt]
}

/** `web.1`: the name of a place, and of whichever dyno holds it. */
export function placeOf(dyno: Pick<Dyno, 'type' | 'ordinal'>): string {
  return `${dyno.type}.${dyno.ordinal}`
}
