/** What is done for a dyno without a process that keeps its place: crashed, or asleep. */

import { asleep, crashedTwice, exited, itPlans, now, v2 } from '../../test/a-plan.ts'
import { later, SECOND } from '../lib/clock.ts'

itPlans([
  [
    'a crashed dyno is cleared away',
    { dynos: [crashedTwice], status: exited() },
    ['remove web.1'],
  ],
  [
    '… gives its address back once nothing of it is there',
    { dynos: [{ ...crashedTwice, address: '172.16.0.2' }], status: undefined },
    ['give back address web.1'],
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
    'an app that sleeps sleeps on with a new release',
    { formation: { idle: true, release: v2 }, dynos: [asleep], status: undefined },
    [],
  ],

  [
    'a crashed dyno of an app that nobody asks for sleeps, too',
    { formation: { idle: true }, dynos: [crashedTwice], status: undefined },
    ['web.1 → idle: State changed from crashed to down'],
  ],

  [
    'woken, a dyno that slept starts anew',
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
])
