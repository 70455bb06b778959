import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  faultOfFormations,
  faultOfOneMoreApp,
  faultOfOneOff,
  HEROKU_LIMITS,
} from './limits.ts'

/** `web@2:Eco worker@1:Basic` → what is said against it. */
const formations: readonly (readonly [string, string | undefined])[] = [
  ['web@1:Eco worker@1:Eco', undefined],
  ['web@2:Eco', 'Cannot update to more than 1 Eco size dynos per process type.'],
  ['web@1:Eco worker@1:Eco clock@1:Eco', 'Cannot run more than 2 Eco size dynos.'],
  ['web@1:Basic worker@1:Basic clock@1:Basic', undefined],
  ['web@2:Basic', 'Cannot update to more than 1 Basic size dynos per process type.'],
  [
    'web@1:Standard-1X worker@0:Basic',
    'Cannot use the following dyno types in the same app: Basic and Standard-1X',
  ],
  [
    'a@1:Standard-2X b@1:Eco c@1:Basic',
    'Cannot use the following dyno types in the same app: Basic, Eco and Standard-2X',
  ],
  ['web@10:Performance-M worker@90:Standard-2X', undefined],
  [
    'web@11:Performance-2XL',
    'Cannot update to more than 10 Performance-2XL size dynos per process type.',
  ],
  ['web@100:Standard-1X', undefined],
  ['web@101:Standard-1X', 'Cannot update to more than 100 dynos per app.'],
  [
    'web@60:Standard-1X worker@41:Standard-2X',
    'Cannot update to more than 100 dynos per app.',
  ],
]

for (const [scale, message] of formations) {
  test(`${scale}: ${message ?? 'fine'}`, () => {
    const all = scale.split(' ').map((it) => {
      const [, type = '', quantity, size = ''] = /^(\w+)@(\d+):(.+)$/.exec(it) ?? []
      return { type, quantity: Number(quantity), size }
    })
    const fault = faultOfFormations(all, HEROKU_LIMITS)
    assert.equal(fault?.message, message)
    const limit = /more than (\d+)/.exec(message ?? '')?.[1]
    assert.equal(fault?.details.limit, limit && Number(limit))
  })
}

test('one-offs are counted by size, and keep to the tier of their app', () => {
  const present = { Eco: 1, Basic: 50, 'Standard-2X': 50, 'Performance-M': 5 }
  for (const [size, most] of Object.entries(present)) {
    const wish = { size, formationSizes: [size] }
    assert.equal(faultOfOneOff({ ...wish, present: most - 1 }), undefined)
    assert.deepEqual(faultOfOneOff({ ...wish, present: most }), {
      id: 'cannot_run_above_limit',
      message: `Cannot run more than ${most} ${size} size dynos.`,
      details: { limit: most },
    })
  }
  const stranger = { size: 'Standard-1X', present: 0, formationSizes: ['Eco'] }
  assert.equal(faultOfOneOff(stranger)?.id, 'invalid_params')
})

test('an account has at most a hundred apps', () => {
  assert.equal(faultOfOneMoreApp(99, HEROKU_LIMITS), undefined)
  assert.match(faultOfOneMoreApp(100, HEROKU_LIMITS)?.message ?? '', /limit of 100 apps/)
})
