import assert from 'node:assert/strict'
import { test } from 'node:test'

import { bootedAt } from '../../test/a-dyno.ts'
import { aOneOff } from '../../test/a-one-off.ts'
import { HOUR, later, MINUTE, SECOND } from '../lib/clock.ts'
import { enabledFeatures } from '../model/app-features.ts'
import { dynoPolicy } from '../model/dyno-policy.ts'
import type { ReleaseId } from '../model/ids.ts'
import type { OneOff } from '../model/one-off.ts'
import { HEROKU_TIMINGS } from '../model/timings.ts'
import type { DynoStatus } from '../runtime/runtime.ts'
import {
  nextMoment,
  type OneOffFacts,
  type OneOffStep,
  planOneOff,
} from './plan-one-off.ts'

const policy = dynoPolicy({}, enabledFeatures({}), HEROKU_TIMINGS)
const atNoon = dynoPolicy(
  { MAYFLY_CYCLING_WINDOW: '11:00-13:00' },
  enabledFeatures({}),
  HEROKU_TIMINGS,
)
const release = 'v9' as ReleaseId

const running: DynoStatus = {
  is: 'running',
  startedAt: bootedAt,
  listening: false,
  terminated: false,
}

function exited(status: number, outOfMemory = false): DynoStatus {
  return { is: 'exited', startedAt: bootedAt, at: bootedAt, status, outOfMemory }
}

const unstarted = { state: 'starting', startedAt: null } as const
const awaiting = { ...unstarted, attached: true } as const
const ending = {
  state: 'stopping',
  exitedAt: bootedAt,
  exitStatus: 0,
  stopReason: 'exit',
} as const

interface Case {
  readonly oneOff?: Partial<OneOff>
  readonly status?: DynoStatus
  readonly facts?: Partial<OneOffFacts>
  /** Milliseconds after it was made, or began. */
  readonly after?: number
  /** `starting → up: State changed …`, or the call's name. */
  readonly steps: readonly string[]
}

function factsOf({ oneOff, status, facts, after = SECOND }: Case): OneOffFacts {
  return {
    oneOff: aOneOff(oneOff),
    status,
    policy,
    timings: HEROKU_TIMINGS,
    appIsThere: true,
    releaseStatus: 'succeeded',
    otherCommands: { run: false, endedAt: null },
    startLine: () => 'Starting process with command `bash`',
    since: bootedAt,
    now: later(bootedAt, after),
    ...facts,
  }
}

const cases: Readonly<Record<string, Case>> = {
  'a detached one is started at once': { oneOff: unstarted, steps: ['boot'] },
  'one that is half made is started too': {
    oneOff: unstarted,
    status: { is: 'created' },
    steps: ['boot'],
  },
  'one that waits for room is not': {
    oneOff: { ...unstarted, waitingFor: 'capacity' },
    steps: [],
  },
  "a release's command waits for room no longer than it may run": {
    oneOff: { ...unstarted, waitingFor: 'capacity', releasePhase: release },
    facts: { releaseStatus: 'pending' },
    after: HOUR,
    steps: ['stopping (release timeout): State changed from starting to complete'],
  },
  'one that cannot be started in two minutes is given up': {
    oneOff: unstarted,
    after: 2 * MINUTE,
    steps: [
      'stopping (start failed): Error R99 (Platform error) -> Failed to launch the dyno within 120 seconds / State changed from starting to complete',
    ],
  },
  'nor is one that nobody has tried to start for as long as that': {
    oneOff: unstarted,
    facts: { since: later(bootedAt, 3 * MINUTE) },
    after: 4 * MINUTE,
    steps: ['boot'],
  },
  "nor a release's command that no manager saw for an hour": {
    oneOff: { ...unstarted, releasePhase: release },
    facts: { releaseStatus: 'pending', since: later(bootedAt, 2 * HOUR) },
    after: 2 * HOUR + MINUTE,
    steps: ['boot'],
  },
  'nor one whose time the clock leapt over': {
    oneOff: { ...unstarted, attached: true, attachedAt: later(bootedAt, HOUR) },
    facts: { jumps: [{ at: later(bootedAt, 3 * HOUR), by: 2 * HOUR - SECOND }] },
    after: 3 * HOUR + MINUTE,
    steps: ['boot'],
  },
  "nor a release's command that waits for room as it does": {
    oneOff: { ...unstarted, waitingFor: 'capacity', releasePhase: release },
    facts: {
      releaseStatus: 'pending',
      jumps: [{ at: later(bootedAt, 3 * HOUR), by: 3 * HOUR - 5 * MINUTE }],
    },
    after: 3 * HOUR + MINUTE,
    steps: [],
  },
  'nor one that had to wait for the command of another release': {
    oneOff: { ...unstarted, releasePhase: release },
    facts: {
      releaseStatus: 'pending',
      otherCommands: { run: false, endedAt: later(bootedAt, 5 * MINUTE) },
    },
    after: 6 * MINUTE,
    steps: ['boot'],
  },
  'it does not run beside that': {
    oneOff: { ...unstarted, releasePhase: release },
    facts: { releaseStatus: 'pending', otherCommands: { run: true, endedAt: null } },
    after: 5 * MINUTE,
    steps: [],
  },
  'one that is superseded waits for nobody': {
    oneOff: { ...unstarted, releasePhase: release },
    facts: { releaseStatus: 'expired', otherCommands: { run: true, endedAt: null } },
    steps: ['stopping (superseded): State changed from starting to complete'],
  },
  'an attached one waits for its client': { oneOff: awaiting, steps: [] },
  'half a minute long': {
    oneOff: awaiting,
    after: 30 * SECOND,
    steps: [
      'stopping (attach error): Error R13 (Attach error) -> Failed to attach to process / State changed from starting to complete',
    ],
  },
  'its client is there': {
    oneOff: { ...awaiting, attachedAt: later(bootedAt, 29 * SECOND) },
    after: 31 * SECOND,
    steps: ['boot'],
  },
  'its client is gone before it began': {
    oneOff: { ...awaiting, attachedAt: bootedAt, detachedAt: bootedAt },
    steps: [
      'stopping (client gone): Client connection closed. Sending SIGHUP to all processes / State changed from starting to complete',
    ],
  },
  'it is stopped before it began': {
    oneOff: { ...unstarted, restartRequestedAt: bootedAt },
    steps: ['stopping (stop): State changed from starting to complete'],
  },
  'it is up as soon as its process began': {
    oneOff: unstarted,
    status: running,
    steps: ['up: State changed from starting to up'],
  },
  'an attached one says then that it starts': {
    oneOff: { ...awaiting, attachedAt: bootedAt },
    status: running,
    steps: [
      'up: Starting process with command `bash` / State changed from starting to up',
    ],
  },
  'one that has ended already was up too': {
    oneOff: unstarted,
    status: exited(0),
    steps: ['up: State changed from starting to up'],
  },
  'it runs': { status: running, steps: [] },
  'a restart of the app or a release is none of its business': {
    oneOff: { release },
    status: running,
    steps: [],
  },
  'its end is told with its status': {
    status: exited(3),
    steps: [
      'stopping (exit): Process exited with status 3 / State changed from up to complete',
    ],
  },
  'the machine ran out of memory': {
    status: { ...exited(137), hostOutOfMemory: true } as DynoStatus,
    steps: [
      'stopping (host lost): Error R99 (Platform error) -> The machine ran out of memory, and the kernel ended the dyno / Process exited with status 137 / State changed from up to complete',
    ],
  },
  'it ran out of memory': {
    status: exited(137, true),
    steps: [
      'stopping (out of memory): Process running mem=1024M(200.0%) / Error R15 (Memory quota vastly exceeded) / Stopping process with SIGKILL / Process exited with status 137 / State changed from up to complete',
    ],
  },
  'its machine lost it': {
    status: { is: 'lost' },
    steps: [
      'stopping (host lost): Error R99 (Platform error) -> The dyno was lost with its host / State changed from up to complete',
    ],
  },
  'ps:stop ends it': {
    oneOff: { restartRequestedAt: bootedAt },
    status: running,
    steps: ['stopping (stop): Stopping all processes with SIGTERM'],
  },
  'the app is destroyed': {
    status: running,
    facts: { appIsThere: false },
    steps: ['stopping (app destroyed): Stopping all processes with SIGTERM'],
  },
  'its time is up': {
    oneOff: { timeToLive: 10 * SECOND },
    status: running,
    after: 10 * SECOND,
    steps: ['stopping (time to live): Stopping all processes with SIGTERM'],
  },
  'its time is not up': {
    oneOff: { timeToLive: 10 * SECOND },
    status: running,
    after: 10 * SECOND - 1,
    steps: [],
  },
  'it has lived its day': {
    status: running,
    after: 24 * HOUR + 216 * MINUTE,
    steps: ['stopping (cycling): Cycling / Stopping all processes with SIGTERM'],
  },
  'a window of cycling is not for it': {
    facts: { policy: atNoon },
    status: running,
    after: 24 * HOUR,
    steps: [],
  },
  'its client is gone: SIGHUP': {
    oneOff: { attached: true, attachedAt: bootedAt, detachedAt: bootedAt },
    status: running,
    steps: [
      'hang-up 1: Client connection closed. Sending SIGHUP to all processes',
      'hang up',
    ],
  },
  'not at once, for it may be that its process has ended': {
    oneOff: { attached: true, attachedAt: bootedAt, detachedAt: bootedAt },
    status: running,
    after: SECOND / 2 - 1,
    steps: [],
  },
  'it heeds that': {
    oneOff: { detachedAt: bootedAt, hangUps: 1, hungUpAt: bootedAt },
    status: exited(129),
    steps: [
      'stopping (client gone): Process exited with status 129 / State changed from up to complete',
    ],
  },
  'it ends by itself, long after': {
    oneOff: { detachedAt: bootedAt, hangUps: 3, unresponsiveAt: bootedAt },
    status: exited(0),
    steps: [
      'stopping (exit): Process exited with status 0 / State changed from up to complete',
    ],
  },
  'five seconds later the next': {
    oneOff: { detachedAt: bootedAt, hangUps: 2, hungUpAt: bootedAt },
    status: running,
    after: 5 * SECOND,
    steps: [
      'hang-up 3: Client connection closed. Sending SIGHUP to all processes',
      'hang up',
    ],
  },
  'not before': {
    oneOff: { detachedAt: bootedAt, hangUps: 2, hungUpAt: bootedAt },
    status: running,
    after: 5 * SECOND - 1,
    steps: [],
  },
  'after the third, R16': {
    oneOff: { detachedAt: bootedAt, hangUps: 3, hungUpAt: bootedAt },
    status: running,
    after: 5 * SECOND,
    steps: [
      'hang-up 3: Error R16 (Detached) -> An attached process is not responding to SIGHUP after its external connection was closed.',
    ],
  },
  'R16 is said once': {
    oneOff: {
      detachedAt: bootedAt,
      hangUps: 3,
      hungUpAt: bootedAt,
      unresponsiveAt: bootedAt,
    },
    status: running,
    after: MINUTE,
    steps: [],
  },
  'SIGTERM is sent': {
    oneOff: { state: 'stopping', stopReason: 'stop', terminatedAt: bootedAt },
    status: running,
    steps: ['terminate'],
  },
  'half a minute later R12': {
    oneOff: { state: 'stopping', stopReason: 'stop', terminatedAt: bootedAt },
    status: { ...running, terminated: true },
    after: 30 * SECOND,
    steps: [
      'stopping: Error R12 (Exit timeout) -> At least one process failed to exit within 30 seconds of SIGTERM / Stopping remaining processes with SIGKILL',
    ],
  },
  'then SIGKILL': {
    oneOff: { state: 'stopping', terminatedAt: bootedAt, killedAt: bootedAt },
    status: { ...running, terminated: true },
    steps: ['kill'],
  },
  'who was stopped keeps the reason': {
    oneOff: { state: 'stopping', stopReason: 'time to live', terminatedAt: bootedAt },
    status: exited(143),
    steps: [
      'stopping (time to live): Process exited with status 143 / State changed from up to complete',
    ],
  },
  'what it held is freed': { oneOff: ending, status: exited(0), steps: ['remove'] },
  'not while its client may still read': {
    oneOff: { ...ending, attached: true, attachedAt: bootedAt },
    status: exited(0),
    steps: [],
  },
  'but not for ever': {
    oneOff: { ...ending, attached: true, attachedAt: bootedAt },
    status: exited(0),
    after: 10 * SECOND,
    steps: ['remove'],
  },
  'then it is down': { oneOff: ending, steps: ['down: '] },

  'one whose monitor died is ended, for nobody would tell of its end': {
    status: { ...running, monitored: false },
    steps: [
      'stopping (host lost): Error R99 (Platform error) -> The dyno is watched over no more, for its monitor died / Stopping all processes with SIGTERM',
    ],
  },

  'a newer release has taken over': {
    oneOff: { releasePhase: release },
    status: running,
    facts: { releaseStatus: 'expired' },
    steps: ['stopping (superseded): Stopping all processes with SIGTERM'],
  },
  'a release command may take an hour': {
    oneOff: { releasePhase: release },
    status: running,
    facts: { releaseStatus: 'pending' },
    after: HOUR,
    steps: ['stopping (release timeout): Stopping all processes with SIGTERM'],
  },
  'a release command that succeeded': {
    oneOff: { ...ending, releasePhase: release },
    status: exited(0),
    facts: { releaseStatus: 'pending' },
    steps: ['settle release'],
  },
  'a release command that failed': {
    oneOff: { ...ending, exitStatus: 3, releasePhase: release },
    status: exited(3),
    facts: { releaseStatus: 'pending' },
    steps: ['settle release: The release command exited with status 3.'],
  },
  'a release command that was stopped, however it ended': {
    oneOff: { ...ending, stopReason: 'release timeout', releasePhase: release },
    facts: { releaseStatus: 'pending' },
    steps: ['settle release: The release command did not end within 60 minutes.'],
  },
  'a release that is settled': {
    oneOff: { ...ending, releasePhase: release },
    status: exited(0),
    steps: ['remove'],
  },
}

for (const [name, it] of Object.entries(cases)) {
  test(name, () => {
    assert.deepEqual(planOneOff(factsOf(it)).map(describe), it.steps)
  })
}

test('what only time brings about is looked at in time', () => {
  assert.equal(wait({ oneOff: awaiting }), 29 * SECOND)
  assert.equal(wait({ oneOff: { timeToLive: MINUTE }, status: running }), 59 * SECOND)
  const gone = { detachedAt: bootedAt, hangUps: 1, hungUpAt: bootedAt }
  assert.equal(wait({ oneOff: gone, status: running }), 4 * SECOND)
})

function wait(it: Omit<Case, 'steps'>): number {
  return nextMoment(factsOf({ ...it, steps: [] }))
}

function describe(step: OneOffStep): string {
  switch (step.do) {
    case 'move': {
      const { to, note, say } = step
      return `${to}${note.stopReason ? ` (${note.stopReason})` : ''}: ${say.join(' / ')}`
    }
    case 'note hang-up':
      return `hang-up ${step.note.hangUps}: ${step.say}`
    case 'settle release':
      return step.failure === undefined ? step.do : `${step.do}: ${step.failure}`
    case 'boot':
    case 'hang up':
    case 'terminate':
    case 'kill':
    case 'remove':
      return step.do
  }
}
