import assert from 'node:assert/strict'
import { test } from 'node:test'

import { webhookSettings } from './webhook-settings.ts'

test('networks may be allowed, and nothing that is none', () => {
  const text = '{"allowedNetworks": ["10.1.0.0/16", "fd00::7"]}'
  assert.deepEqual(webhookSettings(text), JSON.parse(text))
  assert.deepEqual(webhookSettings('{}'), { allowedNetworks: [] })
  for (const wrong of ['"10.0.0.0/8"', '["10.0.0.0/"]', '[7]', 'null']) {
    assert.throws(
      () => webhookSettings(`{"allowedNetworks": ${wrong}}`),
      /allowedNetworks must be a list/,
    )
  }
})
