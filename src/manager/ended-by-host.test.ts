import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aDyno, aFormation, aPolicy, bootedAt } from '../../test/a-dyno.ts'
import { aOneOff } from '../../test/a-one-off.ts'
import { HOUR, later, SECOND } from '../lib/clock.ts'
import type { Dyno } from '../model/dyno.ts'
import { HEROKU_TIMINGS } from '../model/timings.ts'
import type { DynoStatus } from '../runtime/runtime.ts'
import { planFormation } from './plan-formation.ts'
import { planOneOff } from './plan-one-off.ts'
import type { Move } from './steps.ts'

const downAt = later(bootedAt, HOUR)
const now = later(downAt, HOUR)
const lost: DynoStatus = { is: 'lost' }
const lostWithHost: DynoStatus = { is: 'lost', withHost: true }
const R99 = 'Error R99 (Platform error) -> The dyno was lost with its host'

interface Case {
  readonly what: string
  readonly dyno?: Partial<Dyno>
  readonly quantity?: number
  readonly status?: DynoStatus
  readonly step: string
}

const cases: readonly Case[] = [
  {
    what: 'one that was up is started anew',
    step: 'stopping (host restart): Restarting | State changed from up to starting',
  },
  {
    what: 'one that had just been started, too',
    dyno: { state: 'starting', startedAt: downAt },
    step: 'stopping (host restart): Restarting',
  },
  {
    what: 'a worker, too',
    dyno: { type: 'worker' },
    step: 'stopping (host restart): Restarting | State changed from up to starting',
  },
  {
    what: 'one that was being replaced is gone',
    dyno: { leaving: true, stopReason: 'release' },
    step: 'stopping (release): ',
  },
  {
    what: 'one that nobody wants any more goes for that reason',
    quantity: 0,
    step: 'stopping (scale down): State changed from up to down',
  },
  {
    what: 'one started since is lost',
    dyno: { startedAt: later(downAt, SECOND) },
    step: `stopping (host lost): ${R99} | State changed from up to starting`,
  },
  {
    what: 'one that left its files is lost',
    status: lost,
    step: `stopping (host lost): ${R99} | State changed from up to starting`,
  },
  {
    what: 'one that the machine took with it is started anew, and no fault is told',
    status: lostWithHost,
    step: 'stopping (host restart): Restarting | State changed from up to starting',
  },
  {
    what: 'one that had hardly begun then does not wait as if it had crashed',
    dyno: { state: 'starting', startedAt: null },
    status: lostWithHost,
    step: 'stopping (host restart): Restarting',
  },
  {
    what: 'one that was begun since the machine started is lost',
    dyno: { startedAt: later(downAt, 2 * SECOND) },
    status: lost,
    step: `stopping (host lost): ${R99} | State changed from up to starting`,
  },
]

for (const { what, dyno, quantity = 1, status, step } of cases) {
  test(`after \`down\` or a start of the machine: ${what}`, () => {
    const its = aDyno(dyno)
    const [first] = planFormation({
      formation: aFormation({ type: its.type, quantity }),
      policy: aPolicy(),
      dynos: [its],
      statuses: new Map(status && [[its.id, status]]),
      health: new Map(),
      downAt,
      since: bootedAt,
      now,
    })
    assert.equal(told(first), step)
  })
}

test('after `down`: a one-off is over, and no fault is told', () => {
  const [first] = planOneOff({
    oneOff: aOneOff(),
    status: undefined,
    policy: aPolicy(),
    timings: HEROKU_TIMINGS,
    appIsThere: true,
    releaseStatus: 'succeeded',
    otherCommands: { run: false, endedAt: null },
    startLine: () => '',
    since: bootedAt,
    downAt,
    now,
  })
  assert.equal(told(first), 'stopping (host restart): State changed from up to complete')
})

for (const state of ['starting', 'up'] as const) {
  test(`a one-off that was ${state} when the machine stopped is over, and no fault is told`, () => {
    const [first] = planOneOff({
      oneOff: aOneOff({ state, startedAt: null }),
      status: lostWithHost,
      policy: aPolicy(),
      timings: HEROKU_TIMINGS,
      appIsThere: true,
      releaseStatus: 'succeeded',
      otherCommands: { run: false, endedAt: null },
      startLine: () => '',
      since: bootedAt,
      now,
    })
    assert.equal(
      told(first),
      `stopping (host restart): State changed from ${state} to complete`,
    )
  })
}

function told(step: { readonly do: string } | undefined): string {
  assert.equal(step?.do, 'move')
  const { to, note, say, dyno } = step as Move
  return `${to} (${note.stopReason ?? dyno.stopReason}): ${say.join(' | ')}`
}
