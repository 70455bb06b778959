/** What is done for a dyno that stops: SIGTERM, the wait, SIGKILL, and its place given up or kept. */

import {
  exited,
  gone,
  itPlans,
  leaving,
  now,
  stopping,
  terminated,
} from '../../test/a-plan.ts'
import { later, MINUTE, SECOND } from '../lib/clock.ts'

const R12 =
  'Error R12 (Exit timeout) -> At least one process failed to exit within 30 seconds of SIGTERM'

itPlans([
  [
    'no SIGTERM while requests may come',
    { formation: gone, dynos: [{ ...stopping, routed: true }] },
    [],
  ],
  [
    'SIGTERM is announced',
    { formation: gone, dynos: [stopping] },
    ['web.1 → stopping: Stopping all processes with SIGTERM'],
  ],
  [
    '… is sent',
    { formation: gone, dynos: [{ ...stopping, terminatedAt: now }] },
    ['terminate web.1'],
  ],
  [
    '… is sent once',
    { formation: gone, dynos: [{ ...stopping, terminatedAt: now }], status: terminated },
    [],
  ],
  [
    'who does not go within 30 s is told so',
    {
      formation: gone,
      dynos: [{ ...stopping, terminatedAt: later(now, -30 * SECOND) }],
      status: terminated,
    },
    [`web.1 → stopping: ${R12} | Stopping remaining processes with SIGKILL`],
  ],
  [
    '… and killed',
    {
      formation: gone,
      dynos: [{ ...stopping, terminatedAt: now, killedAt: now }],
      status: terminated,
    },
    ['kill web.1'],
  ],
  [
    'an exit is noted',
    {
      formation: gone,
      dynos: [{ ...stopping, terminatedAt: now }],
      status: exited({ status: 143 }),
    },
    ['web.1 → stopping: Process exited with status 143'],
  ],
  [
    'what is left is cleared away',
    { formation: gone, dynos: [{ ...stopping, exitedAt: now }], status: exited() },
    ['remove web.1'],
  ],
  [
    'then it is down',
    { formation: gone, dynos: [{ ...stopping, exitedAt: now }], status: undefined },
    ['web.1 → down: '],
  ],
  [
    'a dyno that never ran needs no SIGTERM',
    { formation: gone, dynos: [{ ...stopping, startedAt: null }], status: undefined },
    ['web.1 → stopping: '],
  ],

  [
    'who has a longer time to stop is given it',
    {
      policy: { stopGrace: MINUTE },
      formation: gone,
      dynos: [{ ...stopping, terminatedAt: later(now, -30 * SECOND) }],
      status: terminated,
    },
    [],
  ],
  [
    'a dyno that is out of memory while it stops says so',
    {
      formation: gone,
      dynos: [{ ...stopping, terminatedAt: now }],
      status: exited({ status: 137, outOfMemory: true }),
    },
    [
      'web.1 → stopping: Process running mem=1024M(200.0%) | Error R15 (Memory quota vastly exceeded)' +
        ' | Stopping process with SIGKILL | Process exited with status 137',
    ],
  ],

  [
    'a place whose dyno fell asleep is kept',
    {
      formation: { idle: true },
      dynos: [{ ...stopping, stopReason: 'idling', exitedAt: now }],
      status: undefined,
    },
    ['web.1 → idle: '],
  ],

  [
    'woken while it stops, a web dyno lets its successor boot',
    {
      dynos: [{ ...stopping, stopReason: 'idling', terminatedAt: now }],
      status: terminated,
    },
    ['web.1 → stopping: Unidling | State changed from down to starting'],
  ],
  [
    '… and so does one that was scaled away and is wanted again',
    { dynos: [stopping] },
    ['web.1 → stopping: State changed from down to starting'],
  ],
  [
    '… its own end being no matter to the place',
    { dynos: [{ ...stopping, leaving: true, terminatedAt: now }], status: terminated },
    ['add 1'],
  ],
  [
    '… unless another is leaving it still',
    { dynos: [leaving, { ...stopping, terminatedAt: now }], status: terminated },
    [],
  ],
])
