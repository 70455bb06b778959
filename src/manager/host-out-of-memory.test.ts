/** Dynos of which the kernel killed something because the machine had no more memory: no fault of theirs. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { exited, itPlans, now, planFor, web1 } from '../../test/a-plan.ts'
import { bootedAt } from '../../test/a-dyno.ts'
import { later, MINUTE } from '../lib/clock.ts'

const killed = exited({ status: 137, hostOutOfMemory: true })
const told =
  'Error R99 (Platform error) -> The machine ran out of memory, and the kernel ended the dyno' +
  ' | Process exited with status 137'

itPlans([
  [
    'a dyno that the kernel killed for the machine`s memory is replaced at once',
    { dynos: [{ ...web1, crashes: 3 }], status: killed },
    [`web.1 → stopping: ${told} | State changed from up to starting`],
  ],
  [
    '… but has crashed where it had hardly begun',
    { dynos: [web1], status: killed, now: later(bootedAt, MINUTE - 1) },
    [`web.1 → crashed: ${told} | State changed from up to crashed`],
  ],
  [
    '… and what was to be ended has ended',
    { dynos: [{ ...web1, state: 'stopping', leaving: true }], status: killed },
    [`web.1 → stopping: ${told}`, 'add 1'],
  ],
])

test('its cause is that of one that was lost with its host', () => {
  const [step] = planFor({ dynos: [web1], status: killed, now })
  assert.ok(step?.do === 'move')
  assert.equal(step.note.stopReason, 'host lost')
  assert.equal(step.note.exitStatus, 137)
})
