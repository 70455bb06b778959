import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aDyno, aFormation, bootedAt } from '../../test/a-dyno.ts'
import { HOUR, later, MINUTE, SECOND } from '../lib/clock.ts'
import { cyclesAt } from '../model/cycling.ts'
import type { Dyno } from '../model/dyno.ts'
import type { DynoId, ReleaseId } from '../model/ids.ts'
import { HEROKU_TIMINGS } from '../model/timings.ts'
import type { DynoStatus } from '../runtime/runtime.ts'
import { type Facts, planFormation, type Step } from './plan-formation.ts'

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
  readonly dynos: readonly Dyno[]
  readonly status?: DynoStatus | undefined
  readonly now?: Date
}

function planFor(world: World): Step[] {
  const status = 'status' in world ? world.status : running
  const statuses = new Map<DynoId, DynoStatus>()
  for (const dyno of world.dynos) if (status) statuses.set(dyno.id, status)
  return planFormation({
    formation: aFormation(world.formation),
    dynos: world.dynos,
    statuses,
    timings: HEROKU_TIMINGS,
    now: world.now ?? now,
  })
}

/** A plan in one line a step, so that a table of cases reads like prose. */
function told(steps: readonly Step[]): string[] {
  return steps.map((step) => {
    if (step.do === 'add') return `add ${step.ordinal}`
    const place = `${step.dyno.type}.${step.dyno.ordinal}`
    if (step.do === 'replace') return `replace ${place}: ${step.because}`
    if (step.do === 'revive') return `revive ${place}: ${step.crashes}`
    if (step.do !== 'move') return `${step.do} ${place}`
    return `${place} → ${step.to}: ${step.say.join(' | ')}`
  })
}

const web1 = aDyno()
const worker1 = aDyno({ type: 'worker', routed: false })
const starting = aDyno({ state: 'starting', startedAt: null, createdAt: now })
const started = aDyno({ state: 'starting' })
const stopping = aDyno({ state: 'stopping', routed: false })
const leaving = aDyno({ leaving: true, stopReason: 'release' })
const crashedOnce = aDyno({
  state: 'crashed',
  crashes: 2,
  nextAttemptAt: later(now, 10 * SECOND),
})

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
    ['web.1 → stopping: Error R99 (Platform error) | State changed from up to starting'],
  ],
  [
    'a dyno lost when it had hardly begun waits as one that crashed',
    { dynos: [{ ...started, crashes: 1 }], status: { is: 'lost' }, now: bootedAt },
    [
      'web.1 → crashed: Error R99 (Platform error) | State changed from starting to crashed',
    ],
  ],
  [
    'a dyno that could not be started for two minutes is our fault',
    { dynos: [starting], status: undefined, now: later(now, 2 * MINUTE) },
    [
      'web.1 → crashed: Error R99 (Platform error) | State changed from starting to crashed',
    ],
  ],
  [
    'a crashed dyno is cleared away',
    { dynos: [crashedOnce], status: exited() },
    ['remove web.1'],
  ],
  ['… waits for its time', { dynos: [crashedOnce], status: undefined }, []],
  [
    '… and comes back',
    { dynos: [crashedOnce], status: undefined, now: later(now, 10 * SECOND) },
    ['revive web.1: 2'],
  ],
  [
    'a new release revives a crashed dyno at once',
    { formation: { release: v2 }, dynos: [crashedOnce], status: undefined },
    ['revive web.1: 0'],
  ],
  [
    'a restart by hand revives a crashed dyno at once',
    { dynos: [{ ...crashedOnce, restartRequestedAt: now }], status: undefined },
    ['revive web.1: 0'],
  ],
  [
    'a crashed dyno is scaled away',
    { formation: { quantity: 0 }, dynos: [crashedOnce], status: undefined },
    ['web.1 → down: State changed from crashed to down'],
  ],
  [
    'a crashed dyno stays while the router knows it',
    { dynos: [{ ...crashedOnce, routed: true, nextAttemptAt: now }], status: undefined },
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

  ['no SIGTERM while requests may come', { dynos: [{ ...stopping, routed: true }] }, []],
  [
    'SIGTERM is announced',
    { dynos: [stopping] },
    ['web.1 → stopping: Stopping all processes with SIGTERM'],
  ],
  ['… is sent', { dynos: [{ ...stopping, terminatedAt: now }] }, ['terminate web.1']],
  [
    '… is sent once',
    { dynos: [{ ...stopping, terminatedAt: now }], status: terminated },
    [],
  ],
  [
    'who does not go within 30 s is told so',
    {
      dynos: [{ ...stopping, terminatedAt: later(now, -30 * SECOND) }],
      status: terminated,
    },
    [`web.1 → stopping: ${R12} | Stopping remaining processes with SIGKILL`],
  ],
  [
    '… and killed',
    { dynos: [{ ...stopping, terminatedAt: now, killedAt: now }], status: terminated },
    ['kill web.1'],
  ],
  [
    'an exit is noted',
    { dynos: [{ ...stopping, terminatedAt: now }], status: exited({ status: 143 }) },
    ['web.1 → stopping: Process exited with status 143'],
  ],
  [
    'what is left is cleared away',
    { dynos: [{ ...stopping, exitedAt: now }], status: exited() },
    ['remove web.1'],
  ],
  [
    'then it is down',
    { dynos: [{ ...stopping, exitedAt: now }], status: undefined },
    ['web.1 → down: '],
  ],
  [
    'a dyno that never ran needs no SIGTERM',
    { dynos: [{ ...stopping, startedAt: null }], status: undefined },
    ['web.1 → stopping: '],
  ],
]

for (const [name, world, steps] of cases) {
  test(name, () => assert.deepEqual(told(planFor(world)), steps))
}

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

test('a release that does not boot costs no more than its batch', () => {
  const dynos = [1, 2, 3, 4].map((ordinal) => aDyno({ ordinal }))
  const stuck = [
    { ...leaving, ordinal: 1 },
    { ...crashedOnce, release: v2, ordinal: 1 },
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
