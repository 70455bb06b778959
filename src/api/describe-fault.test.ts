import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApi } from '../../test/an-api.ts'
import { aDatabase } from '../../test/postgres.ts'

const pool = aDatabase()
const webhook = { include: ['api:release'], level: 'notify', url: 'https://example.com/' }

const cases: readonly [request: string, body: object, fault: string][] = [
  [
    'POST /apps/mine/webhooks',
    { ...webhook, level: 'loud' },
    'level must be notify or sync',
  ],
  ['POST /apps/mine/webhooks', { ...webhook, url: undefined }, 'url is required'],
  [
    'POST /apps/mine/webhooks',
    { ...webhook, include: [1] },
    'include.0 must be a string',
  ],
  ['POST /apps', { name: 5 }, 'name must be a string or null'],
  ['POST /apps', [], 'the body must be an object or null'],
  ['POST /apps', { region: 5 }, 'region must be a string or an object'],
  ['POST /apps', { region: {} }, 'region.id or region.name is required'],
  [
    'PATCH /apps/mine/formation/web',
    { quantity: 1.5 },
    'quantity must be a whole number or a string',
  ],
  ['PATCH /apps/mine/config-vars', { 'A/B': 1 }, 'A/B must be a string or null'],
]

for (const [request, body, fault] of cases) {
  test(`${request} ${JSON.stringify(body)}: ${fault}`, async () => {
    const { call } = await anApi(pool)
    // Who may not know of an app is not told what is wrong with a request for it.
    await call('POST /apps', { name: 'mine' })
    const answer = await call(request, body)
    assert.deepEqual(
      [answer.status, answer.body],
      [422, { id: 'invalid_params', message: `Invalid parameters: ${fault}.` }],
    )
  })
}
