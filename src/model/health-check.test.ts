import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { readHealthChecks } from './health-check.ts'

describe('health checks of app.json', () => {
  it('are in seconds there, and in milliseconds with us', () => {
    const healthcheck = { path: '/up?deep=1', interval: 5, timeout: 2, grace: 0 }
    assert.deepEqual(of({ ...healthcheck, failures: 4 }), {
      checks: {
        web: { path: '/up?deep=1', interval: 5000, timeout: 2000, grace: 0, failures: 4 },
      },
      faults: [],
    })
  })

  it('need no more than a path', () => {
    assert.deepEqual(of({ path: '/' }), {
      checks: {
        web: { path: '/', interval: 10_000, timeout: 5000, grace: 30_000, failures: 3 },
      },
      faults: [],
    })
  })

  it('are none where nobody asked for any', () => {
    const none = { checks: {}, faults: [] }
    const others = { name: 'app', formation: { web: { quantity: 1 }, worker: null } }
    for (const text of [undefined, null, 'text', [], { formation: [] }, others]) {
      assert.deepEqual(readHealthChecks(text), none)
    }
  })

  it('are ignored, with a sentence, where they cannot be sent', () => {
    const pathless =
      'formation.web.healthcheck is ignored: its path must begin with / and have no spaces.'
    for (const path of [undefined, 7, '', 'up', '/a b', '/a\r\nHost: b', '/ü']) {
      assert.deepEqual(of({ path }), { checks: {}, faults: [pathless] })
    }
    assert.deepEqual(of('/up'), {
      checks: {},
      faults: ['formation.web.healthcheck is ignored: it is not an object.'],
    })
    const ofWorker = { formation: { worker: { healthcheck: { path: '/' } } } }
    assert.deepEqual(readHealthChecks(ofWorker), {
      checks: {},
      faults: [
        'formation.worker.healthcheck is ignored: only web dynos have a port to ask.',
      ],
    })
  })

  it('take the usual value, with a sentence, for one that makes no sense', () => {
    const { checks, faults } = of({
      path: '/',
      interval: 0,
      failures: '3',
      constructor: 1,
    })
    assert.equal(checks['web']?.interval, 10_000)
    assert.equal(checks['web']?.failures, 3)
    assert.deepEqual(faults, [
      'formation.web.healthcheck.interval must be a whole number from 1 to 300; 10 is used.',
      'formation.web.healthcheck.failures must be a whole number from 1 to 100; 3 is used.',
      'formation.web.healthcheck.constructor is ignored: nothing of that name is known.',
    ])
  })
})

function of(healthcheck: unknown) {
  return readHealthChecks({ formation: { web: { healthcheck } } })
}
