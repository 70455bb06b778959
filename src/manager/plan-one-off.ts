/**
 * What happens to a one-off dyno next, as one pure function like that of formations: it runs
 * once, for its client or for nobody, and is never started again. A release's command is a
 * one-off whose end decides about the release.
 */

import { HOUR, later, latest, MINUTE, SECOND } from '../lib/clock.ts'
import { countedFrom, type Jump } from '../lib/clock-jumps.ts'
import { cyclesAt } from '../model/cycling.ts'
import type { StopReason } from '../model/dyno.ts'
import * as say from '../model/dyno-lines.ts'
import type { DynoPolicy } from '../model/dyno-policy.ts'
import type { OneOff, OtherCommands } from '../model/one-off.ts'
import * as told from '../model/one-off-lines.ts'
import type { ReleaseStatus } from '../model/release.ts'
import type { Size } from '../model/size.ts'
import type { Timings } from '../model/timings.ts'
import type { DynoStatus } from '../runtime/runtime.ts'
import { wentWithHost } from './ended-by-host.ts'
import { noteExit } from './endings.ts'
import type { Exit } from './facts.ts'
import { terminate } from './plan-stopping.ts'
import { move, type Move, type RuntimeCall } from './steps.ts'

export interface OneOffFacts {
  readonly oneOff: OneOff
  /** Undefined: it holds nothing on the machine. */
  readonly status: DynoStatus | undefined
  readonly policy: DynoPolicy
  readonly timings: Timings
  readonly appIsThere: boolean
  /** Of the release it runs on. */
  readonly releaseStatus: ReleaseStatus
  readonly otherCommands: OtherCommands
  /** Said of an attached one when its process starts; of others it has been said. */
  readonly startLine: () => string
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

export type OneOffStep =
  | Move
  /** Its client is gone: it is told so, or that it does not care is. */
  | {
      readonly do: 'note hang-up'
      readonly dyno: OneOff
      readonly note: HangUps
      readonly say: string
    }
  /** The release whose command it ran stands, or fails for this reason. */
  | {
      readonly do: 'settle release'
      readonly dyno: OneOff
      readonly failure: string | undefined
    }
  | { readonly do: RuntimeCall | 'hang up'; readonly dyno: OneOff }

export type HangUps = Pick<OneOff, 'hangUps' | 'hungUpAt' | 'unresponsiveAt'>

/** From when it could start until it is given up. */
const PLACED_WITHIN = 2 * MINUTE
const HANG_UPS = 3
/** A process that ends takes its client with it: which was first is known a moment later. */
const HANG_UP_AFTER = 0.5 * SECOND
const HANG_UP_EVERY = 5 * SECOND
/** A release's command may take so long. */
const RELEASE_LIMIT = HOUR
/** What an ended process printed is its client's to read, for so long. */
const READ_WITHIN = 10 * SECOND

export function planOneOff(facts: OneOffFacts): OneOffStep[] {
  const { oneOff, status, downAt, now } = facts
  if (wentWithHost(oneOff, status, downAt))
    return [endedUnseen(oneOff, { because: 'host restart', now })]
  switch (oneOff.state) {
    case 'starting':
      return whileStarting(facts)
    case 'up':
      return whileUp(facts)
    case 'stopping':
      return whileStopping(facts)
    case 'crashed':
    case 'idle':
    case 'down':
      return []
  }
}

/** Milliseconds until time alone gives a reason for a step, if nobody wakes us before. */
export function nextMoment(facts: OneOffFacts): number {
  const ahead = momentsOf(facts).flatMap((it) =>
    it && it > facts.now ? [it.getTime()] : [],
  )
  return Math.min(...ahead) - facts.now.getTime()
}

function momentsOf(facts: OneOffFacts): (Date | null | undefined)[] {
  const { oneOff, policy, timings, jumps } = facts
  const { detachedAt, hungUpAt } = oneOff
  const createdAt = countedFrom(oneOff.createdAt, jumps)
  const [startedAt, terminatedAt, exitedAt] = [
    oneOff.startedAt,
    oneOff.terminatedAt,
    oneOff.exitedAt,
  ].map((it) => it && countedFrom(it, jumps))
  if (oneOff.state === 'starting') {
    return [
      later(createdAt, timings.attachTimeout),
      later(readySince(facts), PLACED_WITHIN),
      oneOff.releasePhase && givenUpAt(facts),
    ]
  }
  if (oneOff.state === 'stopping') {
    return [
      terminatedAt && later(terminatedAt, policy.stopGrace),
      exitedAt && later(exitedAt, READ_WITHIN),
    ]
  }
  return [
    startedAt && endsAt(oneOff, startedAt, policy).at,
    detachedAt && hangsUpAt(detachedAt, hungUpAt),
  ]
}

function whileStarting(facts: OneOffFacts): OneOffStep[] {
  const { oneOff, status, now, startLine } = facts
  switch (status?.is) {
    case 'running':
    case 'exited': {
      const lines = [
        ...(oneOff.attached ? [startLine()] : []),
        say.stateChanged('starting', 'up'),
      ]
      return [
        move(oneOff, 'up', { startedAt: status.startedAt, waitingFor: null }, lines),
      ]
    }
    case 'lost':
      return [endedUnseen(oneOff, { because: 'host lost', lines: [say.HOST_LOST], now })]
    case undefined:
    case 'created': {
      const reason = reasonToStop(facts)
      if (reason)
        return [endedUnseen(oneOff, { because: reason, lines: linesOf(reason), now })]
      if (oneOff.attached && !oneOff.attachedAt) return []
      // One migration beside another is what nobody wrote theirs for.
      if (oneOff.waitingFor || facts.otherCommands.run) return []
      if (now < later(readySince(facts), PLACED_WITHIN))
        return [{ do: 'boot', dyno: oneOff }]
      return [
        endedUnseen(oneOff, {
          because: 'start failed',
          lines: [say.notLaunched(PLACED_WITHIN)],
          now,
        }),
      ]
    }
  }
}

function whileUp(facts: OneOffFacts): OneOffStep[] {
  const { oneOff, status, now } = facts
  if (status?.is === 'exited') {
    return [exited(facts, status, causeOf(oneOff, status))]
  }
  if (status?.is !== 'running')
    return [endedUnseen(oneOff, { because: 'host lost', lines: [say.HOST_LOST], now })]

  const reason = reasonToStop(facts)
  if (!reason) return hangUp(oneOff, now)
  const lines = [...linesOf(reason), say.TERMINATING]
  return [move(oneOff, 'stopping', { stopReason: reason, terminatedAt: now }, lines)]
}

function whileStopping(facts: OneOffFacts): OneOffStep[] {
  const { oneOff, status, now, policy, releaseStatus, jumps } = facts
  if (!oneOff.exitedAt) {
    if (status?.is === 'exited')
      return [exited(facts, status, oneOff.stopReason ?? 'exit')]
    if (status?.is !== 'running')
      return [endedUnseen(oneOff, { because: 'host lost', now })]
    const step = terminate(oneOff, status, { stopGrace: policy.stopGrace, now, jumps })
    return step ? [step] : []
  }
  if (oneOff.releasePhase && releaseStatus === 'pending') {
    return [{ do: 'settle release', dyno: oneOff, failure: failureOf(oneOff) }]
  }
  const isRead = !oneOff.attachedAt || oneOff.detachedAt
  const exitedAt = countedFrom(oneOff.exitedAt, jumps)
  if (!isRead && now < later(exitedAt, READ_WITHIN)) return []
  return status ? [{ do: 'remove', dyno: oneOff }] : [move(oneOff, 'down', {}, [])]
}

/** SIGHUP three times, five seconds apart; who goes on after that is left alone. */
function hangUp(oneOff: OneOff, now: Date): OneOffStep[] {
  const { detachedAt, hangUps, hungUpAt, unresponsiveAt } = oneOff
  if (!detachedAt || unresponsiveAt) return []
  if (now < hangsUpAt(detachedAt, hungUpAt)) return []
  if (hangUps < HANG_UPS) {
    const its = { hangUps: hangUps + 1, hungUpAt: now, unresponsiveAt: null }
    return [
      { do: 'note hang-up', dyno: oneOff, note: its, say: told.CLIENT_GONE },
      // Should we die before this, the next one comes all the same.
      { do: 'hang up', dyno: oneOff },
    ]
  }
  const its = { hangUps, hungUpAt, unresponsiveAt: now }
  return [{ do: 'note hang-up', dyno: oneOff, note: its, say: told.NOT_HEEDING_HANG_UP }]
}

function hangsUpAt(detachedAt: Date, hungUpAt: Date | null): Date {
  return hungUpAt ? later(hungUpAt, HANG_UP_EVERY) : later(detachedAt, HANG_UP_AFTER)
}

/** Why it must end though its process does not. */
function reasonToStop(facts: OneOffFacts): StopReason | undefined {
  const { oneOff, policy, timings, now, jumps } = facts
  const { restartRequestedAt, attached, attachedAt, detachedAt } = oneOff
  const startedAt = oneOff.startedAt && countedFrom(oneOff.startedAt, jumps)
  if (!facts.appIsThere) return 'app destroyed'
  if (restartRequestedAt) return 'stop'
  if (oneOff.releasePhase && facts.releaseStatus !== 'pending') return 'superseded'
  if (facts.status?.is === 'running' && facts.status.monitored === false) {
    return 'host lost'
  }
  if (startedAt) {
    const { at, because } = endsAt(oneOff, startedAt, policy)
    return at && now >= at ? because : undefined
  }
  // Its release must not stay pending because there is no room.
  if (oneOff.releasePhase && now >= givenUpAt(facts)) return 'release timeout'
  if (detachedAt) return 'client gone'
  const waits = attached && !attachedAt
  const createdAt = countedFrom(oneOff.createdAt, jumps)
  if (waits && now >= later(createdAt, timings.attachTimeout)) return 'attach error'
  return undefined
}

/** When its time is up at the latest, and why then. */
function endsAt(
  { id, timeToLive, releasePhase }: OneOff,
  startedAt: Date,
  { cycling }: DynoPolicy,
): { readonly at: Date | undefined; readonly because: StopReason } {
  if (releasePhase)
    return { at: later(startedAt, RELEASE_LIMIT), because: 'release timeout' }
  // A window is for who is replaced: this one would only lose the rest of its day to it.
  const day = cycling && { least: cycling.least, most: cycling.most }
  const cycles = day && cyclesAt({ id, startedAt }, day)
  const lived = timeToLive === null ? undefined : later(startedAt, timeToLive)
  if (lived && (!cycles || lived <= cycles)) return { at: lived, because: 'time to live' }
  return { at: cycles, because: 'cycling' }
}

/** There was a client for it, if it needs one, and room, its turn, a manager, and its slug was verified. */
function readySince({ oneOff, otherCommands, since, jumps }: OneOffFacts): Date {
  const { createdAt, attachedAt, updatedAt } = oneOff
  const { endedAt } = otherCommands
  return countedFrom(latest(createdAt, attachedAt, updatedAt, endedAt, since), jumps)
}

/** When a release's command that has not begun is no longer waited for. */
function givenUpAt({ oneOff, since, jumps }: OneOffFacts): Date {
  return later(countedFrom(latest(oneOff.createdAt, since), jumps), RELEASE_LIMIT)
}

function linesOf(reason: StopReason): string[] {
  if (reason === 'attach error') return [told.ATTACH_ERROR]
  if (reason === 'client gone') return [told.CLIENT_GONE]
  if (reason === 'host lost') return [say.MONITOR_LOST]
  return reason === 'cycling' ? ['Cycling'] : []
}

/** Of an end that came by itself, or by the SIGHUPs of a client that is gone. */
function causeOf({ hangUps, unresponsiveAt }: OneOff, exit: Exit): StopReason {
  if (exit.outOfMemory) return 'out of memory'
  if (exit.hostOutOfMemory) return 'host lost'
  return hangUps > 0 && !unresponsiveAt ? 'client gone' : 'exit'
}

function exited(
  { oneOff, sizes }: OneOffFacts,
  exit: Exit,
  stopReason: StopReason,
): Move {
  const noted = noteExit(oneOff, exit, sizes)
  const lines = [...noted.say, told.completed('up')]
  return move(oneOff, 'stopping', { ...noted.note, stopReason }, lines)
}

/** It ended, or never began, and nothing tells more. */
export function endedUnseen(
  oneOff: OneOff,
  {
    because,
    lines = [],
    now,
  }: {
    readonly because: StopReason
    readonly lines?: readonly string[]
    readonly now: Date
  },
): Move {
  const from = oneOff.state === 'starting' ? 'starting' : 'up'
  const notes = {
    exitedAt: now,
    stopReason: oneOff.stopReason ?? because,
    waitingFor: null,
  }
  return move(oneOff, 'stopping', notes, [...lines, told.completed(from)])
}

/** Why a release must fail whose command ended like this; undefined: it need not. */
function failureOf({ stopReason, exitStatus }: OneOff): string | undefined {
  if (stopReason !== 'exit') {
    return `The release command ${failures[stopReason ?? 'host lost'] ?? LOST}.`
  }
  if (exitStatus === 0) return undefined
  return `The release command exited with status ${exitStatus}.`
}

const LOST = 'could not be run to its end'
const failures: Partial<Record<StopReason, string>> = {
  'out of memory': 'ran out of memory',
  'release timeout': `did not end within ${RELEASE_LIMIT / MINUTE} minutes`,
  stop: 'was stopped',
  checksum: 'could not be run, for the slug is damaged',
}
