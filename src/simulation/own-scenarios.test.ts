/** What a drawn scenario comes to too rarely. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { HOUR, MINUTE } from '../lib/clock.ts'
import type { Happening } from './happening.ts'
import { withServer } from './simulated-database.ts'
import { type Outcome, simulate } from './simulation.ts'
import { STEADY } from './temper.ts'

test('a container that was left half-made is made anew, and no dyno is lost', async () => {
  // The third call of a look starts a dyno.
  const breaks = {
    does: 'break runtime',
    how: 'stops half-way',
    calls: 1,
    late: 0,
  } as const
  const happenings: Happening[] = [
    { at: 0, app: 0, does: 'deploy', web: STEADY, worker: STEADY },
    { at: HOUR, app: 0, does: 'scale', type: 'web', quantity: 2 },
    ...Array.from({ length: 4 }, () => ({ at: HOUR, ...breaks })),
    { at: 3 * HOUR - MINUTE, does: 'check' },
  ]
  const { violation, tally } = await played(happenings)
  assert.equal(violation, undefined)
  assert.deepEqual([tally.faults, tally.causes.get('host lost')], [4, undefined])
})

function played(happenings: readonly Happening[]): Promise<Outcome> {
  const scenario = { seed: 1, apps: 1, days: 3 / 24, happenings }
  const host = process.env['PGHOST'] ?? '/var/run/postgresql'
  return withServer(host, (server) => simulate(scenario, server))
}
