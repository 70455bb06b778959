/** What is done for a dyno that is up: it serves on, is replaced, leaves, or has ended by itself. */

import { aDyno, bootedAt } from '../../test/a-dyno.ts'
import {
  exited,
  healthCheck,
  itPlans,
  leaving,
  now,
  others,
  running,
  sick,
  starting,
  v2,
  web1,
  worker1,
} from '../../test/a-plan.ts'
import { DAY, HOUR, later, SECOND } from '../lib/clock.ts'
import { cyclesAt } from '../model/cycling.ts'

itPlans([
  [
    'a dyno whose process ended has crashed, even with status 0',
    { dynos: [web1], status: exited({ status: 0 }) },
    ['web.1 → crashed: Process exited with status 0 | State changed from up to crashed'],
  ],
  [
    'a dyno out of memory says so',
    { dynos: [web1], status: exited({ status: 137, outOfMemory: true }) },
    [
      'web.1 → crashed: Process running mem=1024M(200.0%) | Error R15 (Memory quota vastly exceeded)' +
        ' | Stopping process with SIGKILL | Process exited with status 137 | State changed from up to crashed',
    ],
  ],
  [
    'a dyno that vanished was not at fault',
    { dynos: [web1], status: { is: 'lost' } },
    [
      'web.1 → stopping: Error R99 (Platform error) -> The dyno was lost with its host | State changed from up to starting',
    ],
  ],

  [
    'a web dyno on an older release serves on while its successor boots',
    { formation: { release: v2 }, dynos: [web1] },
    ['replace web.1: release'],
  ],
  [
    'a size change replaces',
    { formation: { size: 'Standard-2X' }, dynos: [web1] },
    ['replace web.1: size'],
  ],
  [
    'a restart replaces',
    { dynos: [{ ...web1, restartRequestedAt: now }] },
    ['replace web.1: restart'],
  ],
  [
    'a dyno does not cycle before its time',
    { dynos: [web1], now: later(cyclesAt({ id: web1.id, startedAt: bootedAt }), -1) },
    [],
  ],
  [
    'a dyno cycles when its time has come',
    { dynos: [web1], now: cyclesAt({ id: web1.id, startedAt: bootedAt }) },
    ['replace web.1: cycling'],
  ],
  [
    'a worker stops before its successor starts',
    { formation: { type: 'worker', release: v2 }, dynos: [worker1] },
    ['worker.1 → stopping: Restarting | State changed from up to starting'],
  ],
  [
    'a worker cycles',
    { formation: { type: 'worker' }, dynos: [worker1], now: later(bootedAt, 28 * HOUR) },
    ['worker.1 → stopping: Cycling | State changed from up to starting'],
  ],
  [
    'a leaving dyno stays until its successor is up and routed',
    {
      formation: { release: v2 },
      dynos: [leaving, aDyno({ release: v2, routed: false })],
    },
    [],
  ],
  [
    '… and then goes',
    { formation: { release: v2 }, dynos: [leaving, aDyno({ release: v2 })] },
    ['web.1 → stopping: '],
  ],
  [
    'a leaving dyno that ends by itself is no crash',
    { formation: { release: v2 }, dynos: [leaving], status: exited({ status: 143 }) },
    ['web.1 → stopping: Process exited with status 143', 'add 1'],
  ],

  [
    'an up dyno whose monitor died is replaced',
    { dynos: [web1], status: { ...running, monitored: false } },
    ['replace web.1: host lost'],
  ],
  [
    'an up dyno that fails its health check is replaced',
    { formation: { healthCheck }, dynos: [web1], health: sick },
    ['replace web.1: unhealthy'],
  ],
  [
    '… not for a failure or two',
    { formation: { healthCheck }, dynos: [web1], health: { ...sick, failures: 2 } },
    [],
  ],
  [
    '… nor in its grace',
    {
      formation: { healthCheck },
      dynos: [web1],
      health: sick,
      now: later(bootedAt, SECOND),
    },
    [],
  ],
  ['… nor for not being asked', { formation: { healthCheck }, dynos: [web1] }, []],

  [
    'a dyno that uses too much memory is replaced',
    { dynos: [{ ...web1, restartRequestedAt: now, restartBecause: 'memory' }] },
    ['replace web.1: memory'],
  ],
  [
    'who need not cycle does not',
    { policy: { cycling: undefined }, dynos: [web1], now: later(bootedAt, 100 * DAY) },
    [],
  ],
  [
    'a short life ends early',
    {
      policy: { cycling: { least: HOUR, most: HOUR } },
      dynos: [web1],
      now: later(bootedAt, HOUR),
    },
    ['replace web.1: cycling'],
  ],

  [
    'an app that nobody asks for sleeps',
    { formation: { idle: true }, dynos: [web1] },
    ['web.1 → stopping: Idling | State changed from up to down'],
  ],
  [
    '… with its workers',
    { formation: { idle: true, type: 'worker' }, dynos: [worker1] },
    ['worker.1 → stopping: Idling | State changed from up to down'],
  ],

  [
    '… and a successor is not waited for',
    { formation: { idle: true }, dynos: [leaving, starting], status: running },
    [
      'web.1 → stopping: ',
      'web.1 → stopping: Idling | State changed from starting to down',
    ],
  ],

  [
    'of a place that one leaves, no second one does',
    {
      formation: { release: v2, quantity: 8 },
      dynos: [leaving, aDyno({ routed: false }), ...others(8)],
    },
    ['replace web.2: release'],
  ],
])
