import type { Jump } from '../lib/clock-jumps.ts'
import type { Dyno } from '../model/dyno.ts'
import type { DynoPolicy } from '../model/dyno-policy.ts'
import type { Formation } from '../model/formation.ts'
import type { DynoId } from '../model/ids.ts'
import type { Size } from '../model/size.ts'
import type { DynoStatus } from '../runtime/runtime.ts'

/** All that the dyno manager decides by. */
export interface Facts {
  readonly formation: Formation
  readonly policy: DynoPolicy
  /** Those that are not down. */
  readonly dynos: readonly Dyno[]
  readonly statuses: ReadonlyMap<DynoId, DynoStatus>
  /** Of dynos with a health check. Who is absent has not been asked yet: that says nothing. */
  readonly health: ReadonlyMap<DynoId, Health>
  /** As the installation has them; undefined: as Heroku has. */
  readonly sizes?: readonly Size[] | undefined
  /** When `mayfly down` last ended all that ran here. */
  readonly downAt?: Date | undefined
  /** From when this manager looks: for what was asked before, nobody has tried until then. */
  readonly since: Date
  /** Where the clock was set forward: see lib/clock-jumps.ts. */
  readonly jumps?: readonly Jump[] | undefined
  readonly now: Date
}

export interface Health {
  /** Its last answer was good. */
  readonly well: boolean
  /** Some answer was, of those that this manager asked for. */
  readonly everWell: boolean
  /** Bad answers in a row. */
  readonly failures: number
  /** What was wrong with the last one: `it answered 503`. */
  readonly fault: string
}

export type Running = Extract<DynoStatus, { is: 'running' }>
export type Exit = Extract<DynoStatus, { is: 'exited' }>

export const WEB = 'web'

/** The other dyno of the place: who leaves it, or who took it. */
export function twinOf(dyno: Dyno, { dynos }: Facts): Dyno | undefined {
  return dynos.find((it) => it.ordinal === dyno.ordinal && it.id !== dyno.id)
}
