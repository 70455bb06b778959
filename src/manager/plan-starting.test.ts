/** What is done for a dyno that starts: booted, noted, up when it is ready, given up when it never is. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { bootedAt } from '../../test/a-dyno.ts'
import {
  deaf,
  exited,
  healthCheck,
  itPlans,
  leaving,
  now,
  planFor,
  sick,
  started,
  starting,
  v2,
} from '../../test/a-plan.ts'
import { HOUR, later, MINUTE, SECOND } from '../lib/clock.ts'
import type { DynoId } from '../model/ids.ts'
import type { Health } from './facts.ts'

const well: Health = { well: true, everWell: true, failures: 0, fault: '' }

const R10 =
  'Error R10 (Boot timeout) -> Web process failed to bind to $PORT within 60 seconds of launch'

itPlans([
  [
    'a row without a container boots',
    { dynos: [starting], status: undefined },
    ['boot web.1'],
  ],
  [
    'a half-made container boots',
    { dynos: [starting], status: { is: 'created' } },
    ['boot web.1'],
  ],
  ['a start is noted', { dynos: [starting], status: deaf }, ['note start web.1']],
  [
    'a web dyno that does not listen waits',
    { dynos: [started], status: deaf, now: bootedAt },
    [],
  ],
  [
    'a web dyno that listens is up',
    { dynos: [started] },
    ['web.1 → up: State changed from starting to up'],
  ],
  [
    'a worker is up once it runs',
    {
      formation: { type: 'worker' },
      dynos: [{ ...started, type: 'worker' }],
      status: deaf,
    },
    ['worker.1 → up: State changed from starting to up'],
  ],
  [
    'a web dyno that never listens is stopped after a minute',
    { dynos: [started], status: deaf, now: later(bootedAt, MINUTE) },
    [`web.1 → starting: ${R10} | Stopping process with SIGKILL`],
  ],
  [
    '… is killed',
    { dynos: [{ ...started, killedAt: now }], status: deaf },
    ['kill web.1'],
  ],
  [
    '… and has crashed',
    {
      dynos: [{ ...started, killedAt: now, stopReason: 'boot timeout' }],
      status: exited({ status: 137 }),
    },
    [
      'web.1 → crashed: Process exited with status 137 | State changed from starting to crashed',
    ],
  ],

  [
    'a dyno lost when it had hardly begun waits as one that crashed',
    {
      dynos: [{ ...started, id: 'd1' as DynoId, crashes: 4 }],
      status: { is: 'lost' },
      now: bootedAt,
    },
    [
      'web.1 → crashed: Error R99 (Platform error) -> The dyno was lost with its host | State changed from starting to crashed' +
        ' | Restarting in 2 minutes (crash 5 in a row; next attempt at 2026-01-01T00:02:01Z)',
    ],
  ],
  [
    'a dyno that could not be started for two minutes is our fault',
    { dynos: [starting], status: undefined, now: later(now, 2 * MINUTE) },
    [
      'web.1 → crashed: Error R99 (Platform error) -> Failed to launch the dyno within 120 seconds | State changed from starting to crashed',
    ],
  ],
  [
    '… but not where nobody has tried to for as long as that',
    {
      dynos: [starting],
      status: undefined,
      since: later(now, MINUTE),
      now: later(now, 3 * MINUTE - 1),
    },
    ['boot web.1'],
  ],
  [
    'a dyno that waits for room is not started, and not given up',
    {
      dynos: [{ ...starting, waitingFor: 'capacity' }],
      status: undefined,
      now: later(now, HOUR),
    },
    [],
  ],
  [
    '… and not kept when it is not wanted any more',
    {
      formation: { quantity: 0 },
      dynos: [{ ...starting, waitingFor: 'capacity' }],
      status: undefined,
    },
    ['web.1 → stopping: State changed from starting to down'],
  ],

  [
    'who takes longer by leave of its app is given the time',
    {
      policy: { bootTimeout: 2 * MINUTE },
      dynos: [started],
      status: deaf,
      now: later(bootedAt, MINUTE),
    },
    [],
  ],
  [
    'with a health check, a web dyno that listens is not up by that',
    { formation: { healthCheck }, dynos: [started], now: bootedAt },
    [],
  ],
  [
    '… but when it answers well',
    { formation: { healthCheck }, dynos: [started], health: well, now: bootedAt },
    ['web.1 → up: State changed from starting to up'],
  ],
  [
    '… not before its port is bound',
    {
      formation: { healthCheck },
      dynos: [started],
      status: deaf,
      health: well,
      now: bootedAt,
    },
    [],
  ],
  [
    '… and is given up when it never did in time',
    {
      formation: { healthCheck },
      dynos: [started],
      health: sick,
      now: later(bootedAt, MINUTE),
    },
    [
      'web.1 → starting: Error R10 (Boot timeout) -> Web process failed its health check at /health for 60 seconds after launch: it answered 503' +
        ' | Stopping process with SIGKILL',
    ],
  ],
  [
    '… which its grace puts off',
    {
      formation: { healthCheck: { ...healthCheck, grace: 90 * SECOND } },
      dynos: [started],
      health: sick,
      now: later(bootedAt, MINUTE),
    },
    [],
  ],
  [
    '… and not knowing does, too',
    { formation: { healthCheck }, dynos: [started], now: later(bootedAt, HOUR) },
    [],
  ],

  [
    'a starting dyno that is not wanted any more makes way',
    { formation: { release: v2 }, dynos: [leaving, starting], status: deaf },
    ['web.1 → stopping: Restarting'],
  ],
])

test('a worker that runs has its start noted by the same change that says it is up', () => {
  const worker = { ...starting, type: 'worker', startedAt: null }
  const [step] = planFor({ dynos: [worker], status: deaf })
  assert.ok(step?.do === 'move' && step.to === 'up')
  assert.deepEqual(step.note, { startedAt: bootedAt })
})
