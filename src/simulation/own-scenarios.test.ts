/** What a drawn scenario comes to too rarely. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { HOUR, MINUTE, SECOND } from '../lib/clock.ts'
import type { Happening } from './happening.ts'
import { withServer } from './simulated-database.ts'
import { type Outcome, simulate } from './simulation.ts'
import { STEADY } from './temper.ts'

const QUANTITY = 30

test('more dynos than boot in one look come up, and are replaced, though the manager dies', async () => {
  const slow = { ...STEADY, listens: 3 }
  const dies = { does: 'kill manager', turns: 9, when: 'after', down: SECOND } as const
  const happenings: Happening[] = [
    { at: 0, app: 0, does: 'deploy', web: slow, worker: slow },
    { at: HOUR, app: 0, does: 'scale', type: 'web', quantity: QUANTITY },
    { at: HOUR + 2 * SECOND, ...dies },
    { at: HOUR + 8 * SECOND, does: 'break runtime', how: 'fails', calls: 5, late: 0 },
    { at: 2 * HOUR - MINUTE, does: 'check' },
    { at: 2 * HOUR, app: 0, does: 'restart', which: 'all' },
    { at: 2 * HOUR + 20 * SECOND, ...dies },
    { at: 3 * HOUR - MINUTE, does: 'check' },
  ]
  const { violation, tally } = await played(happenings)
  assert.equal(violation, undefined)
  assert.ok(tally.started >= 2 * QUANTITY, `${tally.started} started`)
  assert.ok((tally.causes.get('restart') ?? 0) >= QUANTITY)
})

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
