/** What a call names by what it was told, and not as the ordinary client writes it. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApi, type Json } from '../../../test/an-api.ts'
import { anApp } from '../../../test/an-app.ts'
import { aTenancy } from '../../../test/a-tenancy.ts'
import { aDatabase } from '../../../test/postgres.ts'

const pool = aDatabase()

test('a size goes by the id that is told of it', async () => {
  const { call } = await anApi(pool)
  const made = await anApp(pool)
  await made.deploy()
  const at = `/apps/${made.app.name}`
  const { body: sizes } = await call('GET /dyno-sizes')
  const [size] = (sizes as unknown as Json[]).filter((it) => it['name'] === 'Standard-2X')
  assert.ok(size)
  const { id } = size
  const dyno_size = { id, name: 'Standard-2X' }
  const changed = await call(`PATCH ${at}/formation/web`, { dyno_size: { id } })
  assert.deepEqual([changed.status, changed.body['dyno_size']], [200, dyno_size])
  const ran = await call(`POST ${at}/dynos`, { command: 'bash', size: id })
  assert.deepEqual([ran.status, ran.body['size']], [201, 'Standard-2X'])
  assert.equal((await call(`GET /dyno-sizes/${id}`)).body['name'], 'Standard-2X')
  const unknown = { dyno_size: { id: made.app.id } }
  assert.equal((await call(`PATCH ${at}/formation/web`, unknown)).status, 422)
})

test('who leaves an app may write the own address in capitals', async () => {
  const { as } = await anApi(pool)
  const { tokens } = await aTenancy(pool)
  const user = 'stranger@example.com'
  const made = await as(tokens.owner)('POST /apps/personal-app/collaborators', { user })
  assert.equal(made.status, 201)
  const stranger = as(tokens['another tenant'])
  const at = '/apps/personal-app/collaborators'
  const owner = await stranger(`GET ${at}/OWNER@example.com`)
  assert.deepEqual([owner.status, owner.body['role']], [200, 'owner'])
  const left = await stranger(`DELETE ${at}/Stranger@EXAMPLE.com`)
  assert.equal(left.status, 200)
  assert.equal((await stranger(`GET ${at}`)).status, 404)
})
