/**
 * Days of dynos' lives, in seconds: see docs/simulation.md. With MAYFLY_SOAK a year of them.
 */

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { HOUR, MINUTE, SECOND } from '../lib/clock.ts'
import type { Happening } from './happening.ts'
import { scenarioOf } from './scenario.ts'
import { shrink } from './shrink.ts'
import { simulateSeeds } from './simulate-seeds.ts'
import { type Server, withServer } from './simulated-database.ts'
import { type Outcome, simulate } from './simulation.ts'
import { STEADY } from './temper.ts'
import { Violation } from './violation.ts'

const soak = process.env['MAYFLY_SOAK'] !== undefined
const FIRST_SEED = 1000
const SEEDS = soak ? 73 : 8
const DAYS = soak ? 5 : 3

let server: Server
let close: () => void
let closed: Promise<void>
before(async () => {
  const open = Promise.withResolvers<void>()
  const end = Promise.withResolvers<void>()
  close = end.resolve
  closed = withServer(process.env['PGHOST'] ?? '/var/run/postgresql', async (it) => {
    server = it
    open.resolve()
    await end.promise
  })
  await open.promise
})
after(async () => {
  close()
  await closed
})

for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
  test(`${DAYS} days go by, and what must be true is: seed ${seed}`, async () => {
    const lines: string[] = []
    const wish = { seed, seeds: 1, days: DAYS, apps: 2 }
    const failed = await simulateSeeds(wish, { server, say: (line) => lines.push(line) })
    assert.ok(!failed, lines.join('\n'))
  })
}

test('a scenario always comes to the same', async () => {
  const scenario = scenarioOf(7, 1, 2)
  const [once, again] = [
    await simulate(scenario, server),
    await simulate(scenario, server),
  ]
  assert.ok(once.tally.turns > 100)
  assert.deepEqual(again.trace, once.trace)
  assert.deepEqual(again.tally, once.tally)
})

test('a release is superseded while its command runs, which heeds no SIGTERM', async () => {
  const code = { does: 'deploy', app: 0, web: STEADY, worker: STEADY } as const
  const release = { ...STEADY, exits: 20, status: 0, stops: Infinity }
  const happenings: Happening[] = [
    { at: 0, ...code },
    { at: HOUR, ...code, release },
    { at: HOUR + 10 * SECOND, app: 0, does: 'configure', value: 1 },
    { at: 2 * HOUR, does: 'check' },
  ]
  const { violation, tally } = await simulate(
    { seed: 1, apps: 1, days: 1, happenings },
    server,
  )
  assert.equal(violation, undefined)
  assert.equal(tally.causes.get('superseded'), 1)
  assert.equal(tally.causes.get('exit'), 1)
})

test('what was asked for while no manager looked is tried, not given up', async () => {
  const command = { ...STEADY, exits: 20, status: 0 }
  const happenings: Happening[] = [
    { at: 0, app: 0, does: 'deploy', web: STEADY, worker: STEADY },
    { at: HOUR, does: 'kill manager', turns: 0, when: 'before', down: 10 * MINUTE },
    { at: HOUR + SECOND, app: 0, does: 'run', command },
    { at: 2 * HOUR, does: 'check' },
  ]
  const { violation, tally } = await simulate(
    { seed: 1, apps: 1, days: 1, happenings },
    server,
  )
  assert.equal(violation, undefined)
  assert.deepEqual([tally.managers, tally.causes.get('exit')], [2, 1])
})

test('of a scenario that fails only what it takes remains', async () => {
  const scenario = scenarioOf(7, 2, 3)
  const culprits = scenario.happenings.filter((it) => it.does !== 'check').slice(-2)
  assert.equal(culprits.length, 2)
  const play = async ({ happenings }: typeof scenario): Promise<Outcome> => {
    const fails = culprits.every((it) => happenings.includes(it))
    const violation = fails ? new Violation('converges', 'it does not') : undefined
    const tally = {
      started: 0,
      causes: new Map(),
      managers: 1,
      faults: 0,
      looks: 0,
      turns: 0,
    }
    return { violation, passed: 2 * 86_400_000, tally, trace: [] }
  }
  const shrunk = await shrink(scenario, await play(scenario), { play, most: 1000 })
  const left = shrunk.scenario.happenings.filter((it) => it.does !== 'check')
  assert.deepEqual(left, culprits)
})
