/** What the feature `preboot` changes: all boot at once, wait for the switch, and overlap. */

import { aDyno } from '../../test/a-dyno.ts'
import {
  itPlans,
  healthCheck,
  leaving,
  now,
  onSwitch,
  others,
  preboot,
  sick,
  started,
  v2,
  web1,
} from '../../test/a-plan.ts'
import { later, MINUTE, SECOND } from '../lib/clock.ts'
import type { ReleaseId } from '../model/ids.ts'

/** Ready for two minutes, and not yet up. */
const held = aDyno({ state: 'starting', release: v2, startedAt: later(now, -2 * MINUTE) })

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
    'a release that comes while the successor of a restart boots has its dyno wait as well',
    {
      policy: { preboot },
      formation: onSwitch(-1),
      dynos: [
        { ...leaving, stopReason: 'restart' },
        { ...started, release: v2 },
      ],
    },
    [],
  ],
  [
    '… and no two releases serve beside each other',
    {
      policy: { preboot },
      formation: onSwitch(0),
      dynos: [
        { ...leaving, stopReason: 'restart' },
        aDyno({ release: v2, updatedAt: now }),
      ],
    },
    ['web.1 → stopping: '],
  ],
  [
    'who was well and waits for the switch is not ended for a bad answer or two',
    {
      policy: { preboot },
      formation: { ...onSwitch(-MINUTE), healthCheck },
      dynos: [leaving, held],
      health: { ...sick, everWell: true, failures: 2 },
    },
    [],
  ],
  [
    '… nor where another manager saw it well',
    {
      policy: { preboot },
      formation: { ...onSwitch(-MINUTE), healthCheck },
      dynos: [leaving, held],
      health: { ...sick, failures: 1 },
      since: later(now, -SECOND),
    },
    [],
  ],
  [
    '… but for as many as end an up dyno, of which it is told truly',
    {
      policy: { preboot },
      formation: { ...onSwitch(-MINUTE), healthCheck },
      dynos: [leaving, held],
      health: { ...sick, everWell: true },
    },
    [
      'web.1 → starting: Health check at /health failed 3 times in a row: it answered 503' +
        ' | Stopping process with SIGKILL',
    ],
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
