import type { Dyno, DynoState, StopReason } from '../model/dyno.ts'
import * as say from '../model/dyno-lines.ts'

/** A step changes rows or makes one call to the runtime, never both. */
export type Step = RowStep | { readonly do: RuntimeCall; readonly dyno: Dyno }

export type RuntimeCall = 'boot' | 'terminate' | 'kill' | 'remove'

export type RowStep =
  /** Fill an empty place. */
  | { readonly do: 'add'; readonly ordinal: number }
  /** A web dyno goes on serving while its successor boots in its place. */
  | {
      readonly do: 'replace'
      readonly dyno: Dyno
      readonly because: StopReason
      readonly say: readonly string[]
    }
  /** A crashed or sleeping dyno's place gets its next dyno. */
  | {
      readonly do: 'revive'
      readonly dyno: Dyno
      readonly crashes: number
      readonly say: readonly string[]
    }
  /** The runtime says that the process began. */
  | { readonly do: 'note start'; readonly dyno: Dyno; readonly at: Date }
  | Move
  /** Nothing of a crashed dyno is there any more: another may have its address. */
  | { readonly do: 'give back address'; readonly dyno: Dyno }
  /** The app goes back to the release before; `failure` says in a sentence why. */
  | { readonly do: 'roll back release'; readonly failure: string }

/** The dyno's row changes, and its log says so. */
export interface Move {
  readonly do: 'move'
  readonly dyno: Dyno
  /** May be the state it has: then only the notes change. */
  readonly to: DynoState
  readonly note: Notes
  readonly say: readonly string[]
}

export type Notes = Partial<
  Pick<
    Dyno,
    | 'leaving'
    | 'stopReason'
    | 'crashes'
    | 'nextAttemptAt'
    | 'startedAt'
    | 'terminatedAt'
    | 'killedAt'
    | 'exitedAt'
    | 'exitStatus'
    | 'waitingFor'
  >
>

export function note(dyno: Dyno, notes: Notes, lines: readonly string[]): Move {
  return move(dyno, dyno.state, notes, lines)
}

export function move(
  dyno: Dyno,
  to: DynoState,
  notes: Notes,
  lines: readonly string[],
): Move {
  return { do: 'move', dyno, to, note: notes, say: lines }
}

/** For whoever reads the log, a dyno that is replaced starts again, and one that is not goes down. */
export function stop(dyno: Dyno, because: StopReason, why: readonly string[] = []): Move {
  const next = because === 'scale down' || because === 'idling' ? 'down' : 'starting'
  const changed = dyno.state === next ? [] : [say.stateChanged(dyno.state, next)]
  return move(dyno, 'stopping', { stopReason: because }, [
    ...why,
    ...say.replacing(because),
    ...changed,
  ])
}
