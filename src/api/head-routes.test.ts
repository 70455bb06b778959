/** Of a GET that is answered by a stream Fastify would make a HEAD that reads it all, for nobody. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApi } from '../../test/an-api.ts'
import { aDatabase } from '../../test/postgres.ts'

const pool = aDatabase()

test('what is answered by a stream has no HEAD', async () => {
  const { server } = await anApi(pool)
  const streams = [
    '/auth/cli/:login',
    '/builds/:token/output',
    '/releases/:token/output',
    '/sources/:token',
  ]
  assert.ok(server.hasRoute({ method: 'HEAD', url: '/account' }))
  for (const url of streams) {
    assert.ok(server.hasRoute({ method: 'GET', url }), url)
    assert.ok(!server.hasRoute({ method: 'HEAD', url }), url)
  }
})
