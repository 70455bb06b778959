/** What the feature `preboot` changes: all boot at once, wait for the switch, and overlap. */

import { aDyno } from '../../test/a-dyno.ts'
import {
  itPlans,
  leaving,
  now,
  onSwitch,
  others,
  preboot,
  started,
  v2,
  web1,
} from '../../test/a-plan.ts'
import { later, MINUTE } from '../lib/clock.ts'
import type { ReleaseId } from '../model/ids.ts'

itPlans([
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
])
