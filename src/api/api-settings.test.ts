import assert from 'node:assert/strict'
import { test } from 'node:test'

import { apiSettings, USUAL_API_SETTINGS } from './api-settings.ts'

test('what is said is heeded, all else is as usual', () => {
  assert.deepEqual(apiSettings('{}'), USUAL_API_SETTINGS)
  const wanted = {
    requestsPerHour: 60,
    rateLimitPer: 'token',
    trustedProxies: ['127.0.0.1', '10.0.0.0/8', 'fd00::/8'],
  }
  assert.deepEqual(apiSettings(JSON.stringify(wanted)), wanted)
})

const faults: readonly (readonly [text: string, fault: RegExp])[] = [
  ['', /JSON/],
  ['{"requestsPerHour": 60,}', /JSON/],
  ['null', /^it must be an object$/],
  ['7', /^it must be an object$/],
  ['[]', /^it must be an object$/],
  ['{"requestPerHour": 60}', /^there is no setting requestPerHour$/],
  ['{"__proto__": 60}', /^there is no setting __proto__$/],
  ['{"constructor": 60}', /^there is no setting constructor$/],
  ...['0', '-1', '1.5', '"60"', 'null', '1e300'].map(
    (it) =>
      [`{"requestsPerHour": ${it}}`, /^requestsPerHour must be a whole number/] as const,
  ),
  ['{"rateLimitPer": "address"}', /^rateLimitPer must be "account" or "token"$/],
  ...['true', '"127.0.0.1"', '["localhost"]', '["10.0.0.0/99"]', '[7]', '[""]'].map(
    (it) => [`{"trustedProxies": ${it}}`, /^trustedProxies must be a list/] as const,
  ),
]
for (const [text, fault] of faults) {
  test(`${text || 'nothing'} is not understood`, () => {
    assert.throws(() => apiSettings(text), { message: fault })
  })
}
