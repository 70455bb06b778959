import assert from 'node:assert/strict'
import { test } from 'node:test'

import { HOUR, MINUTE } from '../lib/clock.ts'
import { HEROKU_TIMINGS } from '../model/timings.ts'
import { managerSettings, settingsFrom, USUAL_MANAGER_SETTINGS } from './settings.ts'

test('without a file the timings are those of Heroku', () => {
  const settings = settingsFrom(() => USUAL_MANAGER_SETTINGS)
  const { bootTimeout } = settings.timings()
  assert.equal(bootTimeout, HEROKU_TIMINGS.bootTimeout)
  assert.deepEqual(settings.allowances(), { networks: [], closed: [], mail: false })
  assert.deepEqual(settings.factor(), { memory: 1, disk: 1 })
})

test('what the file says holds from when it says so', () => {
  let text = '{}'
  const settings = settingsFrom(() => managerSettings(text))
  text = JSON.stringify({ clockOffset: 25 * HOUR, stopGrace: 1000 })
  assert.equal(settings.timings().stopGrace, 1000)
  const ahead = settings.clock.now().getTime() - Date.now()
  assert.ok(Math.abs(ahead - 25 * HOUR) < MINUTE)

  text = '{"ociRuntimes": {"eu": "runc"}, "memoryFactor": 2}'
  assert.deepEqual(['us', 'eu'].map(settings.ociRuntime), ['crun', 'runc'])
  assert.deepEqual(settings.factor(), { memory: 2, disk: 1 })

  const open = { networks: ['10.1.0.0/16', '10.2.0.9'], closed: ['8.8.8.8'], mail: true }
  text = JSON.stringify({
    allowedNetworks: open.networks,
    closedNetworks: open.closed,
    allowMail: true,
  })
  assert.deepEqual(settings.allowances(), open)
})

const wrong: readonly (readonly [text: string, fault: RegExp])[] = [
  ['', /JSON/],
  ['{"closedNetworks": ["203.0.113.0/24"],}', /JSON/],
  ['[]', /^it must be an object$/],
  ['{"closedNetwork": []}', /^there is no setting closedNetwork$/],
  ['{"toString": 1}', /^there is no setting toString$/],
  ['{"stopGrace": "soon"}', /^stopGrace must be a number of milliseconds/],
  ['{"memoryFactor": -1}', /^memoryFactor must be a number/],
  ['{"allowMail": 1}', /^allowMail must be true or false$/],
  ...['"runc"', 'null', '{"eu": "docker"}'].map(
    (it) => [`{"ociRuntimes": ${it}}`, /^ociRuntimes must be one of crun, /] as const,
  ),
  ...['"10.0.0.0/8"', '["10.0.0.0/33"]', '["fd00::/8"]', '["x; accept"]'].flatMap((it) =>
    ['allowedNetworks', 'closedNetworks'].map(
      (name) =>
        [`{"${name}": ${it}}`, new RegExp(`^${name} must be a list of IPv4`)] as const,
    ),
  ),
]
for (const [text, fault] of wrong) {
  test(`${text || 'nothing'} is not understood`, () => {
    assert.throws(() => managerSettings(text), { message: fault })
  })
}
