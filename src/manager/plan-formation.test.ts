/** The formation's own steps, and when to look again; each state's are in `plan-<state>.test.ts`. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aDyno, bootedAt } from '../../test/a-dyno.ts'
import {
  asleep,
  crashedTwice,
  factsOf,
  itPlans,
  leaving,
  now,
  onSwitch,
  preboot,
  started,
  starting,
  stopping,
  terminated,
  v2,
  web1,
  type World,
} from '../../test/a-plan.ts'
import { HOUR, later, MINUTE, SECOND } from '../lib/clock.ts'
import { nextMoment } from './plan-formation.ts'

itPlans([
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
    'the highest places are scaled down',
    { formation: { quantity: 1 }, dynos: [web1, aDyno({ ordinal: 2 })] },
    ['web.2 → stopping: State changed from up to down'],
  ],

  [
    'of an app that sleeps no place is filled',
    { formation: { idle: true, quantity: 2 }, dynos: [asleep], status: undefined },
    [],
  ],
])

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
    [
      {
        policy: { preboot },
        formation: onSwitch(-7),
        dynos: [leaving, { ...started, release: v2 }],
      },
      7,
    ],
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
