/** Of a GET that is answered by a stream Fastify would make a HEAD that reads it all, for nobody. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApi } from '../../test/an-api.ts'
import { aDatabase } from '../../test/postgres.ts'
import type { Resource } from './server.ts'

const pool = aDatabase()

test('what is answered by a stream has no HEAD', async () => {
  const heads: string[] = []
  const { server } = await anApi(pool, { before: [listing(heads)] })
  const streams = [
    '/auth/cli/:login',
    '/builds/:token/output',
    '/releases/:token/output',
    '/sources/:token',
  ]
  // It lists what has one.
  assert.ok(heads.includes('/account'))
  for (const url of streams) {
    assert.ok(server.hasRoute({ method: 'GET', url }), url)
    assert.ok(!heads.includes(url), url)
  }
})

function listing(heads: string[]): Resource {
  const plugin: Resource = async (server) => {
    server.addHook('onRoute', ({ method, url }) => {
      if ([method].flat().includes('HEAD')) heads.push(url)
    })
  }
  // Of the whole server, not of a part of its own.
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true })
}
