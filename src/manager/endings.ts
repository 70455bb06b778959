/** How a dyno's end is told and counted, when nobody asked for it. */

import { later, MINUTE } from '../lib/clock.ts'
import { coolOff, crashesInARow } from '../model/crash-policy.ts'
import type { Dyno, StopReason } from '../model/dyno.ts'
import * as say from '../model/dyno-lines.ts'
import { type Size, sizeNamed } from '../model/size.ts'
import type { Exit, Facts } from './facts.ts'
import { move, type Move, note, type Notes } from './steps.ts'

/** A dyno that ran so long before it was lost was not lost for what it did. */
const SETTLED_AFTER = MINUTE

/** The process ended by itself, whatever its status: that is a crash. One that leaves had its time. */
export function ended(
  dyno: Dyno,
  exit: Exit,
  { now, sizes }: Pick<Facts, 'now' | 'sizes'>,
): Move {
  const lines = exitLines(dyno, exit, sizes)
  if (dyno.leaving) return move(dyno, 'stopping', exitNotes(exit), lines)
  // Our fault, as of one that was lost.
  if (exit.hostOutOfMemory && !dyno.stopReason) {
    if (hasHardlyBegun(dyno, now)) {
      const its = { crashes: dyno.crashes + 1, because: 'host lost', now } as const
      return crashed(dyno, its, { note: exitNotes(exit), say: lines })
    }
    const changed = dyno.state === 'up' ? [say.stateChanged('up', 'starting')] : []
    const notes = { ...exitNotes(exit), stopReason: 'host lost' } as const
    return move(dyno, 'stopping', notes, [...lines, ...changed])
  }
  const ran = exit.at.getTime() - exit.startedAt.getTime()
  const because = dyno.stopReason ?? (exit.outOfMemory ? 'out of memory' : 'crash')
  return crashed(
    dyno,
    { crashes: crashesInARow(dyno.crashes, ran), because, now },
    {
      note: exitNotes(exit),
      say: lines,
    },
  )
}

/** An exit that was asked for. */
export function noteExit(dyno: Dyno, exit: Exit, sizes: Facts['sizes']): Move {
  return note(dyno, exitNotes(exit), exitLines(dyno, exit, sizes))
}

/**
 * Our fault, not the app's: a dyno that ran for a while is replaced at once. One that was
 * lost while it had hardly begun waits as if it had crashed, or it would be lost again and again.
 */
export function lost(dyno: Dyno, now: Date): Move {
  if (!dyno.leaving) {
    // Why was told when it was killed.
    if (dyno.killedAt) return notStarted(dyno, dyno.stopReason ?? 'host lost', [], now)
    if (hasHardlyBegun(dyno, now))
      return notStarted(dyno, 'host lost', [say.HOST_LOST], now)
  }
  const changed = dyno.state === 'up' && !dyno.leaving
  return move(dyno, 'stopping', { stopReason: 'host lost' }, [
    say.HOST_LOST,
    ...(changed ? [say.stateChanged('up', 'starting')] : []),
  ])
}

/**
 * A process that boots without its monitor, which nobody would hear the end of: it is killed,
 * to wait as one that was lost. One that serves or works is stopped in order: see stoppedEarly.
 */
export function unmonitored(dyno: Dyno, now: Date): Move {
  const lines = [say.MONITOR_LOST, say.KILLING]
  return note(dyno, { killedAt: now, stopReason: 'host lost' }, lines)
}

/** Whether one that is stopped lost its monitor when it had hardly begun: it has crashed, then. */
export function stoppedEarly(dyno: Dyno): boolean {
  const { stopReason, leaving, updatedAt } = dyno
  // Of who stops, from when.
  return stopReason === 'host lost' && !leaving && hasHardlyBegun(dyno, updatedAt)
}

/** The end of one that was stopped early. */
export function crashedInOrder(dyno: Dyno, now: Date): Move {
  const its = { crashes: dyno.crashes + 1, because: 'host lost', now } as const
  return crashed(dyno, its, { note: {}, say: [] })
}

export function hasHardlyBegun({ startedAt }: Dyno, now: Date): boolean {
  return !startedAt || now < later(startedAt, SETTLED_AFTER)
}

/** It could not be run, for no fault of its process. */
export function notStarted(
  dyno: Dyno,
  because: StopReason,
  lines: readonly string[],
  now: Date,
): Move {
  return crashed(
    dyno,
    { crashes: dyno.crashes + 1, because, now },
    {
      note: { exitedAt: now },
      say: lines,
    },
  )
}

function crashed(
  dyno: Dyno,
  { crashes, because, now }: { crashes: number; because: StopReason; now: Date },
  told: { readonly note: Notes; readonly say: readonly string[] },
): Move {
  const wait = coolOff(crashes, dyno.id)
  const nextAttemptAt = later(now, wait)
  const notes = { ...told.note, crashes, nextAttemptAt, stopReason: because }
  // Who was stopped in order was told of as one that starts again.
  const from = dyno.state === 'stopping' ? 'starting' : dyno.state
  return move(dyno, 'crashed', notes, [
    ...told.say,
    say.stateChanged(from, 'crashed'),
    ...(wait > 0 ? [say.nextAttempt({ wait, crashes, at: nextAttemptAt })] : []),
  ])
}

function exitNotes(exit: Exit): Notes {
  return { exitedAt: exit.at, exitStatus: exit.status }
}

/** An out-of-memory kill is never told as a plain exit, also of a dyno that was stopping. */
function exitLines(dyno: Dyno, exit: Exit, sizes: readonly Size[] | undefined): string[] {
  const exited = say.processExited(exit.status)
  const size = sizeNamed(dyno.size, sizes)
  if (exit.hostOutOfMemory) return [say.HOST_OUT_OF_MEMORY, exited]
  if (!exit.outOfMemory) return [exited]
  const use = size ? [say.memoryInUse(size.hardMemory, size)] : []
  return [...use, say.OUT_OF_MEMORY, say.KILLING, exited]
}
