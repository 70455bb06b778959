/** When a release on trial is taken back, and when not. */

import { aDyno } from '../../test/a-dyno.ts'
import {
  crashedTwice,
  itPlans,
  leaving,
  others,
  starting,
  v2,
} from '../../test/a-plan.ts'

const trial = { release: v2, onTrial: true, proven: false }
const failed = aDyno({
  ...crashedTwice,
  release: v2,
  stopReason: 'crash',
  exitStatus: 1,
})

itPlans([
  [
    'a release whose first dynos all fail twice is taken back',
    { formation: { ...trial, quantity: 4 }, dynos: [leaving, failed, ...others(4)] },
    ['roll back: web.1 exited with status 1 before it was ready, 2 times in a row'],
  ],
  [
    '… whatever kept them from being ready',
    {
      formation: trial,
      dynos: [leaving, { ...failed, stopReason: 'boot timeout' }],
    },
    ['roll back: web.1 did not bind its port within 60 seconds, 2 times in a row'],
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
])
