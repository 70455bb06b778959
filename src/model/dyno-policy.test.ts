import assert from 'node:assert/strict'
import { test } from 'node:test'

import { HOUR, MINUTE, SECOND } from '../lib/clock.ts'
import { DAILY } from './cycling.ts'
import { dynoPolicy, faultOfDynoSettings, type Features } from './dyno-policy.ts'
import { HEROKU_TIMINGS } from './timings.ts'

const usual: Features = new Set(['daily-cycling', 'automatic-rollback'])

function policyWith(configVars: Record<string, string>, features = usual) {
  return dynoPolicy(configVars, features, HEROKU_TIMINGS)
}

test('where nothing is said, a dyno lives as on Heroku', () => {
  assert.deepEqual(policyWith({}), {
    bootTimeout: MINUTE,
    stopGrace: 30 * SECOND,
    cycling: DAILY,
    memoryRestart: undefined,
    idling: false,
    idleAfter: 30 * MINUTE,
    preboot: undefined,
    automaticRollback: true,
  })
})

test('what the config vars say holds', () => {
  const policy = policyWith({
    MAYFLY_BOOT_TIMEOUT: '120',
    MAYFLY_STOP_GRACE: '300',
    MAYFLY_MAX_LIFE: '10',
    MAYFLY_MEMORY_RESTART: '90',
    MAYFLY_IDLE_AFTER: '5',
    MAYFLY_CYCLING_WINDOW: '22:30-01:00 America/New_York',
  })
  assert.deepEqual(policy, {
    ...policyWith({}),
    bootTimeout: 120 * SECOND,
    stopGrace: 300 * SECOND,
    cycling: {
      least: 8.5 * HOUR,
      most: 10 * HOUR,
      window: { from: 22 * 60 + 30, until: 60, zone: 'America/New_York' },
    },
    memoryRestart: 0.9,
    idleAfter: 5 * MINUTE,
  })
})

test('features switch on and off', () => {
  const policy = policyWith({ MAYFLY_BOOT_TIMEOUT: '90' }, new Set(['preboot', 'idling']))
  assert.equal(policy.cycling, undefined)
  assert.equal(policy.automaticRollback, false)
  assert.equal(policy.idling, true)
  assert.deepEqual(policy.preboot, { switch: 210 * SECOND, overlap: 5 * MINUTE })
})

const faults: [string, string][] = [
  ['MAYFLY_BOOT_TIMEOUT', '181'],
  ['MAYFLY_BOOT_TIMEOUT', '0'],
  ['MAYFLY_BOOT_TIMEOUT', '60s'],
  ['MAYFLY_STOP_GRACE', '301'],
  ['MAYFLY_MAX_LIFE', '25'],
  ['MAYFLY_MEMORY_RESTART', '5'],
  ['MAYFLY_IDLE_AFTER', ''],
  ['MAYFLY_AUTOSCALE', '5'],
  ['MAYFLY_CYCLING_WINDOW', 'at night'],
  ['MAYFLY_CYCLING_WINDOW', '02:00-02:00'],
  ['MAYFLY_CYCLING_WINDOW', '24:00-05:00'],
  ['MAYFLY_CYCLING_WINDOW', '02:00-05:00 Europe/Atlantis'],
]

for (const [name, value] of faults) {
  test(`${name}=${value} can't be set, and says nothing where it is`, () => {
    assert.match(
      faultOfDynoSettings({ MAYFLY_BOOT_TIMEOUT: '90', [name]: value }) ?? '',
      new RegExp(`^${name} must be .*\\.$`),
    )
    const { [name]: _, ...others } = { MAYFLY_STOP_GRACE: '7', [name]: value }
    assert.deepEqual(policyWith({ ...others, [name]: value }), policyWith(others))
  })
}

test('nothing is wrong with good settings, or with none', () => {
  assert.equal(faultOfDynoSettings({}), undefined)
  assert.equal(faultOfDynoSettings({ MAYFLY_CYCLING_WINDOW: '02:00-05:00' }), undefined)
})
