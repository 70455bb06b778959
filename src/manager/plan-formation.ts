/**
 * The whole policy of the dyno manager as one pure function: what was asked for, what
 * there is, what time it is; what to do next.
 *
 * A step changes rows or makes one call to the runtime, never both. So the manager may die
 * between any two steps, and the next look simply goes on. The plan reaches one step ahead
 * for each dyno: sequences are not written down anywhere, they fall out of the facts.
 *
 * Two invariants hold the policy together. A web dyno that must go makes room only when
 * its successor is up and routed, so no request is lost. A dyno of any other type is gone
 * before its successor is even a row, so no job is worked twice.
 */

import { later, MINUTE } from '../lib/clock.ts'
import { coolOff, crashesInARow } from '../model/crash-policy.ts'
import { cyclesAt } from '../model/cycling.ts'
import type { Dyno, DynoState, StopReason } from '../model/dyno.ts'
import * as say from '../model/dyno-lines.ts'
import type { Formation } from '../model/formation.ts'
import type { DynoId } from '../model/ids.ts'
import { sizeNamed } from '../model/size.ts'
import type { Timings } from '../model/timings.ts'
import type { DynoStatus } from '../runtime/runtime.ts'

export interface Facts {
  readonly formation: Formation
  /** Those that are not down. */
  readonly dynos: readonly Dyno[]
  readonly statuses: ReadonlyMap<DynoId, DynoStatus>
  readonly timings: Timings
  readonly now: Date
}

export type Step =
  /** Fill an empty place. */
  | { readonly do: 'add'; readonly ordinal: number }
  /** A web dyno goes on serving while its successor boots in its place. */
  | { readonly do: 'replace'; readonly dyno: Dyno; readonly because: StopReason }
  /** A crashed dyno's place gets its next dyno. */
  | { readonly do: 'revive'; readonly dyno: Dyno; readonly crashes: number }
  /** The runtime says that the process began. */
  | { readonly do: 'note start'; readonly dyno: Dyno; readonly at: Date }
  | Move
  | { readonly do: RuntimeCall; readonly dyno: Dyno }

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
    | 'stopReason'
    | 'crashes'
    | 'nextAttemptAt'
    | 'terminatedAt'
    | 'killedAt'
    | 'exitedAt'
    | 'exitStatus'
  >
>

export type RuntimeCall = 'boot' | 'terminate' | 'kill' | 'remove'

type Exit = Extract<DynoStatus, { is: 'exited' }>

const WEB = 'web'
/** From a dyno's row to its process; later than that, something is wrong with us. */
const PLACED_WITHIN = 2 * MINUTE
const SETTLED_AFTER = MINUTE

export function planFormation(facts: Facts): Step[] {
  const { formation, dynos } = facts
  const taken = new Set(dynos.filter((it) => !it.leaving).map((it) => it.ordinal))
  const replacements = new Room(facts)

  return [
    ...dynos.flatMap((dyno) => nextStepFor(dyno, facts, replacements) ?? []),
    ...placesOf(formation)
      .filter((ordinal) => !taken.has(ordinal))
      .map((ordinal) => ({ do: 'add', ordinal }) as const),
  ]
}

/** Milliseconds until time alone gives a reason for a step, if nobody wakes us before. */
export function nextMoment({ dynos, timings, now }: Facts): number {
  const moments = dynos.flatMap((dyno) => {
    const { startedAt, terminatedAt, nextAttemptAt } = dyno
    return [
      startedAt && cyclesAt({ id: dyno.id, startedAt }),
      dyno.state === 'starting' &&
        (startedAt
          ? later(startedAt, timings.bootTimeout)
          : later(dyno.createdAt, PLACED_WITHIN)),
      terminatedAt && later(terminatedAt, timings.stopGrace),
      nextAttemptAt,
    ]
  })
  const ahead = moments.flatMap((it) => (it && it > now ? [it.getTime()] : []))
  return Math.min(...ahead) - now.getTime()
}

function nextStepFor(dyno: Dyno, facts: Facts, replacements: Room): Step | undefined {
  switch (dyno.state) {
    case 'starting':
      return whileStarting(dyno, facts)
    case 'up':
      return whileUp(dyno, facts, replacements)
    case 'stopping':
      return whileStopping(dyno, facts)
    case 'crashed':
      return whileCrashed(dyno, facts)
    case 'idle':
    case 'down':
      return undefined
  }
}

function whileStarting(dyno: Dyno, facts: Facts): Step | undefined {
  const { timings, now } = facts
  const status = facts.statuses.get(dyno.id)
  const unwanted = reasonToStop(dyno, facts)
  if (unwanted && !dyno.killedAt) return stop(dyno, unwanted)

  switch (status?.is) {
    case undefined:
    case 'created':
      if (dyno.startedAt || now >= later(dyno.createdAt, PLACED_WITHIN)) {
        return hostLost(dyno, now)
      }
      return { do: 'boot', dyno }
    case 'lost':
      return hostLost(dyno, now)
    case 'exited':
      if (!dyno.startedAt) return { do: 'note start', dyno, at: status.startedAt }
      return crash(dyno, status, now)
    case 'running':
      if (dyno.killedAt) return { do: 'kill', dyno }
      if (!dyno.startedAt) return { do: 'note start', dyno, at: status.startedAt }
      if (dyno.type !== WEB || status.listening) return becomeUp(dyno)
      if (now < later(dyno.startedAt, timings.bootTimeout)) return undefined
      return note(dyno, { killedAt: now, stopReason: 'boot timeout' }, [
        say.bootTimeout(timings.bootTimeout),
        say.KILLING,
      ])
  }
}

function whileUp(dyno: Dyno, facts: Facts, replacements: Room): Step | undefined {
  const status = facts.statuses.get(dyno.id)
  if (status?.is === 'exited') return ended(dyno, status, facts.now)
  if (status?.is !== 'running') return hostLost(dyno, facts.now)
  if (dyno.leaving) return mayLeave(dyno, facts) ? leave(dyno) : undefined

  const unwanted = reasonToStop(dyno, facts)
  if (!unwanted) return undefined
  if (unwanted === 'scale down') return stop(dyno, unwanted)
  if (!replacements.take()) return undefined
  return dyno.type === WEB
    ? { do: 'replace', dyno, because: unwanted }
    : stop(dyno, unwanted)
}

function whileStopping(dyno: Dyno, facts: Facts): Step | undefined {
  const { now, timings } = facts
  const status = facts.statuses.get(dyno.id)
  if (dyno.exitedAt) {
    if (status) return { do: 'remove', dyno }
    return dyno.routed ? undefined : move(dyno, 'down', {}, [])
  }
  if (status?.is === 'exited') return noteExit(dyno, status)
  if (status?.is !== 'running') return note(dyno, { exitedAt: now }, [])

  if (dyno.routed) return undefined
  if (!dyno.terminatedAt) return note(dyno, { terminatedAt: now }, [say.TERMINATING])
  if (!status.terminated) return { do: 'terminate', dyno }
  if (dyno.killedAt) return { do: 'kill', dyno }
  if (now < later(dyno.terminatedAt, timings.stopGrace)) return undefined
  return note(dyno, { killedAt: now }, [
    say.exitTimeout(timings.stopGrace),
    say.KILLING_REMAINING,
  ])
}

function whileCrashed(dyno: Dyno, facts: Facts): Step | undefined {
  if (facts.statuses.has(dyno.id)) return { do: 'remove', dyno }
  if (dyno.routed) return undefined

  const unwanted = reasonToStop(dyno, facts)
  if (unwanted === 'scale down') {
    return move(dyno, 'down', {}, [say.stateChanged('crashed', 'down')])
  }
  if (unwanted && unwanted !== 'cycling') return { do: 'revive', dyno, crashes: 0 }
  if (dyno.nextAttemptAt && facts.now < dyno.nextAttemptAt) return undefined
  return { do: 'revive', dyno, crashes: dyno.crashes }
}

/** Why a dyno that does no harm must go all the same. */
function reasonToStop(dyno: Dyno, { formation, now }: Facts): StopReason | undefined {
  if (dyno.ordinal > formation.quantity) return 'scale down'
  if (dyno.release !== formation.release) return 'release'
  if (dyno.size !== formation.size) return 'size'
  if (dyno.restartRequestedAt) return 'restart'
  const { id, startedAt } = dyno
  if (startedAt && now >= cyclesAt({ id, startedAt })) return 'cycling'
  return undefined
}

/** A leaving dyno may go once its successor serves, or when nobody wants the place any more. */
function mayLeave(dyno: Dyno, { formation, dynos }: Facts): boolean {
  if (dyno.ordinal > formation.quantity) return true
  const successor = dynos.find((it) => !it.leaving && it.ordinal === dyno.ordinal)
  return successor?.state === 'up' && successor.routed
}

/**
 * Replacing takes at most a quarter of a formation, rounded up, at a time: places where a
 * dyno is leaving, starting or stopping count.
 */
class Room {
  #left: number

  constructor({ formation, dynos }: Facts) {
    const moving = dynos.filter(
      (it) => it.leaving || it.state === 'starting' || it.state === 'stopping',
    )
    const places = new Set(moving.map((it) => it.ordinal))
    this.#left = Math.ceil(formation.quantity / 4) - places.size
  }

  take(): boolean {
    return this.#left-- > 0
  }
}

function placesOf(formation: Formation): number[] {
  return Array.from({ length: formation.quantity }, (_, index) => index + 1)
}

function becomeUp(dyno: Dyno): Step {
  return move(dyno, 'up', {}, [say.stateChanged('starting', 'up')])
}

/** For whoever reads the log, a dyno that is replaced starts again, and one that is not goes down. */
function stop(dyno: Dyno, because: StopReason): Step {
  const next = because === 'scale down' ? 'down' : 'starting'
  const changed = dyno.state === next ? [] : [say.stateChanged(dyno.state, next)]
  return move(dyno, 'stopping', { stopReason: because }, [
    ...say.replacing(because),
    ...changed,
  ])
}

/** The log told of its going when its successor took the place. */
function leave(dyno: Dyno): Step {
  return move(dyno, 'stopping', {}, [])
}

/**
 * Our fault, not the app's: a dyno that ran for a while is replaced at once. One that was
 * lost while it had hardly begun waits as if it had crashed, or it would be lost again and again.
 */
function hostLost(dyno: Dyno, now: Date): Step {
  const notes: Notes = { stopReason: 'host lost' }
  const settled = dyno.startedAt && now >= later(dyno.startedAt, SETTLED_AFTER)
  if (settled || dyno.leaving) {
    const changed = dyno.state === 'up' ? [say.stateChanged('up', 'starting')] : []
    return move(dyno, 'stopping', notes, [say.PLATFORM_ERROR, ...changed])
  }
  const changed = say.stateChanged(dyno.state, 'crashed')
  const crashes = dyno.crashes + 1
  const nextAttemptAt = later(now, coolOff(crashes, dyno.id))
  return move(dyno, 'crashed', { ...notes, exitedAt: now, crashes, nextAttemptAt }, [
    say.PLATFORM_ERROR,
    changed,
  ])
}

function ended(dyno: Dyno, exit: Exit, now: Date): Step {
  return dyno.leaving
    ? move(dyno, 'stopping', exitNotes(exit), exitLines(dyno, exit))
    : crash(dyno, exit, now)
}

/** The process ended by itself, whatever its status: that is a crash. */
function crash(dyno: Dyno, exit: Exit, now: Date): Step {
  const ran = exit.at.getTime() - exit.startedAt.getTime()
  const crashes = crashesInARow(dyno.crashes, ran)
  const notes: Notes = {
    ...exitNotes(exit),
    crashes,
    nextAttemptAt: later(now, coolOff(crashes, dyno.id)),
    stopReason: dyno.stopReason ?? (exit.outOfMemory ? 'out of memory' : 'crash'),
  }
  const changed = say.stateChanged(dyno.state, 'crashed')
  return move(dyno, 'crashed', notes, [...exitLines(dyno, exit), changed])
}

function noteExit(dyno: Dyno, exit: Exit): Step {
  return note(dyno, exitNotes(exit), exitLines(dyno, exit))
}

function exitNotes(exit: Exit): Notes {
  return { exitedAt: exit.at, exitStatus: exit.status }
}

function exitLines(dyno: Dyno, exit: Exit): string[] {
  const exited = say.processExited(exit.status)
  const size = sizeNamed(dyno.size)
  if (!exit.outOfMemory || !size) return [exited]
  return [say.memoryInUse(size.hardMemory, size), say.OUT_OF_MEMORY, say.KILLING, exited]
}

function note(dyno: Dyno, notes: Notes, lines: readonly string[]): Step {
  return move(dyno, dyno.state, notes, lines)
}

function move(dyno: Dyno, to: DynoState, notes: Notes, lines: readonly string[]): Step {
  return { do: 'move', dyno, to, note: notes, say: lines }
}
