import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aDyno, aFormation, aPolicy, bootedAt } from '../../test/a-dyno.ts'
import { DAY, HOUR, later, MINUTE, SECOND } from '../lib/clock.ts'
import { cyclesAt } from '../model/cycling.ts'
import type { Dyno } from '../model/dyno.ts'
import type { DynoId, ReleaseId } from '../model/ids.ts'
import type { DynoStatus } from '../runtime/runtime.ts'
import type { Facts, Health } from './facts.ts'
import { nextMoment, planFormation } from './plan-formation.ts'
import type { Step } from './steps.ts'

const v2 = 'v2' as ReleaseId
const running = {
  is: 'running',
  startedAt: bootedAt,
  listening: true,
  terminated: false,
} as const
const deaf = { ...running, listening: false }
const terminated = { ...running, terminated: true }
const now = later(bootedAt, HOUR / 2)

function exited(but: Partial<Extract<DynoStatus, { is: 'exited' }>> = {}): DynoStatus {
  return {
    is: 'exited',
    startedAt: bootedAt,
    at: now,
    status: 1,
    outOfMemory: false,
    ...but,
  }
}

interface World {
  readonly formation?: Partial<Facts['formation']>
  readonly policy?: Partial<Facts['policy']>
  readonly health?: Health
  readonly dynos: readonly Dyno[]
  readonly status?: DynoStatus | undefined
  readonly since?: Date
  readonly now?: Date
}

function planFor(world: World): Step[] {
  return planFormation(factsOf(world))
}

function factsOf(world: World): Facts {
  const statuses = new Map<DynoId, DynoStatus>()
  const health = new Map<DynoId, Health>()
  for (const dyno of world.dynos) {
    const status = 'status' in world ? world.status : usualStatusOf(dyno)
    if (status) statuses.set(dyno.id, status)
    if (world.health) health.set(dyno.id, world.health)
  }
  return {
    formation: aFormation(world.formation),
    policy: aPolicy(world.policy),
    dynos: world.dynos,
    statuses,
    health,
    since: world.since ?? bootedAt,
    now: world.now ?? now,
  }
}

function usualStatusOf({ state }: Dyno): DynoStatus | undefined {
  return state === 'crashed' || state === 'idle' ? undefined : running
}

/** A plan in one line a step, so that a table of cases reads like prose. */
function told(steps: readonly Step[]): string[] {
  return steps.map((step) => {
    if (step.do === 'add') return `add ${step.ordinal}`
    if (step.do === 'take back release') return `take back: ${step.failure}`
    const place = `${step.dyno.type}.${step.dyno.ordinal}`
    if (step.do === 'replace') return `replace ${place}: ${step.because}`
    if (step.do === 'revive') return `revive ${place}: ${step.crashes}`
    if (step.do !== 'move') return `${step.do} ${place}`
    return `${place} → ${step.to}: ${step.say.join(' | ')}`
  })
}

const web1 = aDyno()
const worker1 = aDyno({ type: 'worker', routed: false })
const starting = aDyno({ state: 'starting', startedAt: null, updatedAt: now })
const started = aDyno({ state: 'starting' })
const stopping = aDyno({ state: 'stopping', routed: false, stopReason: 'scale down' })
const gone = { quantity: 0 }
const leaving = aDyno({ leaving: true, stopReason: 'release' })
const crashedTwice = aDyno({
  state: 'crashed',
  crashes: 2,
  nextAttemptAt: later(now, 10 * SECOND),
})

const asleep = aDyno({ state: 'idle', stopReason: 'idling' })
const healthCheck = {
  path: '/health',
  interval: 10 * SECOND,
  timeout: 5 * SECOND,
  grace: 30 * SECOND,
  failures: 3,
}
const well: Health = { well: true, failures: 0, fault: '' }
const sick: Health = { well: false, failures: 3, fault: 'it answered 503' }
const preboot = { switch: 3 * MINUTE, overlap: 5 * MINUTE }
const trial = { release: v2, onTrial: true, proven: false }
const failed = aDyno({
  ...crashedTwice,
  release: v2,
  stopReason: 'crash',
  exitStatus: 1,
})

/** Of a formation, all but the first. */
function others(quantity: number): Dyno[] {
  return Array.from({ length: quantity - 1 }, (_, at) => aDyno({ ordinal: at + 2 }))
}

/** Released so that it is so many milliseconds past the switch. */
function onSwitch(past: number): NonNullable<World['formation']> {
  return { release: v2, releasedAt: later(now, -3 * MINUTE - past) }
}

const R10 =
  'Error R10 (Boot timeout) -> Web process failed to bind to $PORT within 60 seconds of launch'
const R12 =
  'Error R12 (Exit timeout) -> At least one process failed to exit within 30 seconds of SIGTERM'

const cases: [string, World, string[]][] = [
  ['nothing is done when all is as asked', { dynos: [web1] }, []],
  ['an empty place is filled', { dynos: [] }, ['add 1']],
  [
    'a worker waits until its predecessor is gone',
    {
      formation: { type: 'worker' },
      dynos: [{ ...stopping, type: 'worker', terminatedAt: now }],
      status: terminated,
    },
    [],
  ],

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
    'a crashed dyno is cleared away',
    { dynos: [crashedTwice], status: exited() },
    ['remove web.1'],
  ],
  ['… waits for its time', { dynos: [crashedTwice], status: undefined }, []],
  [
    '… and comes back',
    { dynos: [crashedTwice], status: undefined, now: later(now, 10 * SECOND) },
    ['revive web.1: 2'],
  ],
  [
    'a new release revives a crashed dyno at once',
    { formation: { release: v2 }, dynos: [crashedTwice], status: undefined },
    ['revive web.1: 0'],
  ],
  [
    'a restart by hand revives a crashed dyno at once',
    { dynos: [{ ...crashedTwice, restartRequestedAt: now }], status: undefined },
    ['revive web.1: 0'],
  ],
  [
    'a crashed dyno is scaled away',
    { formation: { quantity: 0 }, dynos: [crashedTwice], status: undefined },
    ['web.1 → down: State changed from crashed to down'],
  ],
  [
    'a crashed dyno stays while the router knows it',
    { dynos: [{ ...crashedTwice, routed: true, nextAttemptAt: now }], status: undefined },
    [],
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
    'a starting dyno that is not wanted any more makes way',
    { formation: { release: v2 }, dynos: [leaving, starting], status: deaf },
    ['web.1 → stopping: Restarting'],
  ],
  [
    'the highest places are scaled down',
    { formation: { quantity: 1 }, dynos: [web1, aDyno({ ordinal: 2 })] },
    ['web.2 → stopping: State changed from up to down'],
  ],

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
    '… its places kept',
    {
      formation: { idle: true },
      dynos: [{ ...stopping, stopReason: 'idling', exitedAt: now }],
      status: undefined,
    },
    ['web.1 → idle: '],
  ],
  [
    '… and with a new release',
    { formation: { idle: true, release: v2 }, dynos: [asleep], status: undefined },
    [],
  ],
  [
    '… no place of it being filled',
    { formation: { idle: true, quantity: 2 }, dynos: [asleep], status: undefined },
    [],
  ],
  [
    '… who had crashed sleeps, too',
    { formation: { idle: true }, dynos: [crashedTwice], status: undefined },
    ['web.1 → idle: State changed from crashed to down'],
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
  [
    'woken, it starts anew',
    { formation: { release: v2 }, dynos: [asleep], status: undefined },
    ['revive web.1: 0'],
  ],
  [
    '… as many as are wanted now',
    {
      formation: { idle: true, quantity: 1 },
      dynos: [asleep, { ...asleep, ordinal: 2 }],
      status: undefined,
    },
    ['web.2 → down: '],
  ],

  [
    'of a place that one leaves, no second one does',
    {
      formation: { release: v2, quantity: 8 },
      dynos: [leaving, aDyno({ routed: false }), ...others(8)],
    },
    ['replace web.2: release'],
  ],

  [
    'with preboot all boot at once on a release',
    {
      policy: { preboot },
      formation: { release: v2, quantity: 3 },
      dynos: [web1, ...others(3)],
    },
    ['replace web.1: release', 'replace web.2: release', 'replace web.3: release'],
  ],
  [
    '… and wait for the switch',
    {
      policy: { preboot },
      formation: onSwitch(-1),
      dynos: [leaving, { ...started, release: v2 }],
    },
    [],
  ],
  [
    '… then they come up',
    {
      policy: { preboot },
      formation: onSwitch(0),
      dynos: [leaving, { ...started, release: v2 }],
    },
    ['web.1 → up: State changed from starting to up'],
  ],
  [
    '… and the old one goes at once',
    {
      policy: { preboot },
      formation: onSwitch(0),
      dynos: [leaving, aDyno({ release: v2 })],
    },
    ['web.1 → stopping: '],
  ],
  [
    'with preboot a first dyno does not wait',
    {
      policy: { preboot },
      formation: onSwitch(-1),
      dynos: [{ ...started, release: v2 }],
    },
    ['web.1 → up: State changed from starting to up'],
  ],
  [
    'with preboot a restarted dyno serves beside its successor',
    {
      policy: { preboot },
      dynos: [{ ...leaving, stopReason: 'restart' }, aDyno({ updatedAt: now })],
      now: later(now, 4 * MINUTE),
    },
    [],
  ],
  [
    '… for five minutes',
    {
      policy: { preboot },
      dynos: [{ ...leaving, stopReason: 'restart' }, aDyno({ updatedAt: now })],
      now: later(now, 5 * MINUTE),
    },
    ['web.1 → stopping: '],
  ],
  [
    '… unless it was told to stop',
    {
      policy: { preboot },
      dynos: [
        { ...leaving, stopReason: 'restart', restartBecause: 'stop' },
        aDyno({ updatedAt: now }),
      ],
    },
    ['web.1 → stopping: '],
  ],
  [
    '… or its size changed',
    {
      policy: { preboot },
      formation: { size: 'Standard-2X' },
      dynos: [
        { ...leaving, release: 'v1' as ReleaseId, stopReason: 'size' },
        aDyno({ size: 'Standard-2X', updatedAt: now }),
      ],
    },
    ['web.1 → stopping: '],
  ],

  [
    'a release whose first dynos all fail twice is taken back',
    { formation: { ...trial, quantity: 4 }, dynos: [leaving, failed, ...others(4)] },
    ['take back: web.1 exited with status 1 before it was ready, 2 times in a row'],
  ],
  [
    '… whatever kept them from being ready',
    {
      formation: trial,
      dynos: [leaving, { ...failed, stopReason: 'boot timeout' }],
    },
    ['take back: web.1 did not bind its port within 60 seconds, 2 times in a row'],
  ],
  [
    '… not for one failure',
    { formation: trial, dynos: [leaving, { ...failed, crashes: 1 }] },
    [],
  ],
  [
    '… not for what is our fault',
    { formation: trial, dynos: [leaving, { ...failed, stopReason: 'host lost' }] },
    [],
  ],
  [
    '… not while another of them may come up',
    {
      formation: { ...trial, quantity: 2 },
      dynos: [leaving, failed, { ...starting, release: v2, ordinal: 2 }],
    },
    ['web.2 → up: State changed from starting to up'],
  ],
  [
    '… not when there is none before it, or it is such a one itself',
    { formation: { ...trial, onTrial: false }, dynos: [leaving, failed] },
    [],
  ],
  [
    '… not when the app does not want it',
    {
      policy: { automaticRollback: false },
      formation: trial,
      dynos: [leaving, failed],
    },
    [],
  ],
  [
    '… and not for a worker',
    {
      formation: { ...trial, type: 'worker' },
      dynos: [{ ...failed, type: 'worker' }],
    },
    [],
  ],
]

for (const [name, world, steps] of cases) {
  test(name, () => assert.deepEqual(told(planFor(world)), steps))
}

test('a worker that runs has its start noted by the same change that says it is up', () => {
  const worker = { ...starting, type: 'worker', startedAt: null }
  const [step] = planFor({ dynos: [worker], status: deaf })
  assert.ok(step?.do === 'move' && step.to === 'up')
  assert.deepEqual(step.note, { startedAt: bootedAt })
})

test('a quarter of a formation, rounded up, is replaced at a time', () => {
  for (const [quantity, atOnce] of [
    [1, 1],
    [4, 1],
    [5, 2],
    [8, 2],
    [9, 3],
  ] as const) {
    const dynos = Array.from({ length: quantity }, (_, index) =>
      aDyno({ ordinal: index + 1 }),
    )
    const steps = planFor({ formation: { quantity, release: v2 }, dynos })
    assert.equal(steps.length, atOnce, `of ${quantity}`)
  }
})

test('a dyno without room on the machine does not keep the others from a release', () => {
  const waiting = aDyno({ ...starting, ordinal: 2, release: v2, waitingFor: 'capacity' })
  const steps = planFor({
    formation: { quantity: 2, release: v2 },
    dynos: [aDyno({ ordinal: 1 }), waiting],
  })
  assert.ok(steps.some((it) => it.do === 'replace'))
})

test('a release that does not boot costs no more than its batch', () => {
  const dynos = [1, 2, 3, 4].map((ordinal) => aDyno({ ordinal }))
  const stuck = [
    { ...leaving, ordinal: 1 },
    { ...crashedTwice, release: v2, ordinal: 1 },
  ]
  const facts: World = {
    formation: { quantity: 4, release: v2 },
    dynos: [...stuck, ...dynos.slice(1)],
  }
  assert.deepEqual(
    told(planFor(facts)).filter((it) => it.startsWith('replace')),
    [],
  )
})

test('it looks again when time alone gives a reason', () => {
  const moments: [World, number][] = [
    [{ dynos: [starting] }, 2 * MINUTE],
    [{ dynos: [{ ...started, startedAt: now }] }, MINUTE],
    [{ dynos: [{ ...stopping, terminatedAt: now }] }, 30 * SECOND],
    [{ dynos: [crashedTwice] }, 10 * SECOND],
    [{ dynos: [asleep] }, Infinity],
    [{ policy: { cycling: undefined }, dynos: [web1] }, Infinity],
    [
      { policy: { cycling: { least: HOUR, most: HOUR } }, dynos: [web1] },
      later(bootedAt, HOUR).getTime() - now.getTime(),
    ],
    [{ policy: { preboot }, formation: onSwitch(-7), dynos: [leaving, started] }, 7],
    [
      {
        policy: { preboot, cycling: undefined },
        dynos: [{ ...leaving, stopReason: 'restart' }, aDyno({ updatedAt: now })],
      },
      5 * MINUTE,
    ],
  ]
  for (const [world, milliseconds] of moments) {
    assert.equal(nextMoment(factsOf(world)), milliseconds)
  }
})
