import assert from 'node:assert/strict'
import { test } from 'node:test'

import { HOUR, later } from '../lib/clock.ts'
import {
  BUILD_LIMIT,
  type CompileFacts,
  type CompileStep,
  failures,
  planCompile,
  STARTED_WITHIN,
} from './plan-compile.ts'

const startedAt = new Date('2026-01-01T00:00:00Z')
const running = { is: 'running', startedAt, listening: false, terminated: false } as const
const exited = {
  is: 'exited',
  startedAt,
  at: startedAt,
  status: 0,
  outOfMemory: false,
} as const
const fresh = { startedAt, anewFrom: null, cancelledAt: null, failure: null }
const facts: CompileFacts = {
  build: fresh,
  appIsThere: true,
  status: undefined,
  now: later(startedAt, BUILD_LIMIT - 1),
}
const cancelled = { ...fresh, cancelledAt: startedAt }
const again = { ...fresh, anewFrom: 1 }
const lostWithHost = { is: 'lost', withHost: true } as const
const soon = later(startedAt, STARTED_WITHIN - 1)
const late = later(startedAt, BUILD_LIMIT)

const cases: readonly [
  what: string,
  changes: Partial<CompileFacts>,
  step: CompileStep,
][] = [
  ['no dyno yet', { now: soon }, { do: 'start' }],
  ['one half made', { status: { is: 'created' }, now: soon }, { do: 'start' }],
  [
    'one that cannot be started',
    { now: later(startedAt, STARTED_WITHIN) },
    { do: 'finish', failure: failures.notStarted },
  ],
  ['one that runs', { status: running }, { do: 'follow' }],
  ['one that has done it', { status: exited }, { do: 'finish', failure: undefined }],
  [
    'one that failed',
    { status: { ...exited, status: 1 } },
    { do: 'finish', failure: failures.ended(1) },
  ],
  [
    'one that ran out of memory',
    { status: { ...exited, status: 137, outOfMemory: true } },
    { do: 'finish', failure: failures.outOfMemory },
  ],
  [
    'a build that was killed because the machine had no more memory failed for that',
    { status: { ...exited, status: 137, hostOutOfMemory: true } },
    { do: 'finish', failure: failures.lost },
  ],
  [
    'one that lost a child to memory, and did without it',
    { status: { ...exited, outOfMemory: true } },
    { do: 'finish', failure: undefined },
  ],
  [
    'one that is lost',
    { status: { is: 'lost' } },
    { do: 'finish', failure: failures.lost },
  ],
  [
    'one that its machine took with it, however long that was off',
    { status: lostWithHost, now: late },
    { do: 'begin anew' },
  ],
  [
    'a second one that its machine took with it',
    { build: again, status: lostWithHost },
    { do: 'finish', failure: failures.lost },
  ],
  [
    'one that its machine took with it, of a cancelled build',
    { build: cancelled, status: lostWithHost },
    { do: 'finish', failure: failures.cancelled },
  ],
  ['one that `down` ended', { downAt: soon, now: late }, { do: 'begin anew' }],
  [
    'one asked for since `down`',
    { downAt: later(startedAt, -1), now: soon },
    { do: 'start' },
  ],
  [
    'a second one that `down` ended',
    { build: again, downAt: soon, now: soon },
    { do: 'finish', failure: failures.lost },
  ],
  [
    'a second one that `down` ended, of a cancelled build',
    { build: { ...cancelled, anewFrom: 1 }, downAt: soon, now: late },
    { do: 'finish', failure: failures.cancelled },
  ],
  [
    'a second one asked for since `down`',
    { build: again, downAt: later(startedAt, -1), now: soon },
    { do: 'start' },
  ],
  [
    'cancelled before it began',
    { build: cancelled },
    { do: 'finish', failure: failures.cancelled },
  ],
  [
    'cancelled while it runs',
    { build: cancelled, status: running },
    { do: 'kill', failure: failures.cancelled },
  ],
  [
    'time run out',
    { now: late, status: running },
    { do: 'kill', failure: failures.tooLong },
  ],
  [
    'time run out only by a clock that was set forward',
    { now: late, status: running, jumps: [{ at: late, by: HOUR }] },
    { do: 'follow' },
  ],
  [
    'no dyno to be had in time',
    { now: late },
    { do: 'finish', failure: failures.tooLong },
  ],
  [
    'the app destroyed',
    { appIsThere: false, status: running },
    { do: 'kill', failure: failures.destroyed },
  ],
  [
    'an end that we brought about: the reason for it, not the status',
    {
      build: { ...fresh, failure: failures.tooLong },
      status: { ...exited, status: 137 },
    },
    { do: 'finish', failure: failures.tooLong },
  ],
  [
    'done as its time ran out: it counts',
    { now: late, status: exited },
    { do: 'finish', failure: undefined },
  ],
]

for (const [what, changes, step] of cases) {
  test(`compiling, with ${what}`, () => {
    assert.deepEqual(planCompile({ ...facts, ...changes }), step)
  })
}
