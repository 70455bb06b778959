import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApi } from '../../test/an-api.ts'
import { aDatabase } from '../../test/postgres.ts'

const pool = aDatabase()

test('what has changed since it was read is not changed by who says so', async () => {
  const { call } = await anApi(pool)
  await call('POST /apps', { name: 'matched' })
  const at = '/apps/matched'
  const etagOf = async (path: string) =>
    String((await call(`GET ${path}`)).headers['etag'])
  const patch = (etag: string, maintenance: boolean) =>
    call(`PATCH ${at}`, { maintenance }, { 'if-match': etag })
  const read = await etagOf(at)
  assert.match(read, /^W\/"/)
  assert.equal((await patch(read, true)).status, 200)
  const refused = await patch(read, false)
  assert.deepEqual([refused.status, refused.body['id']], [412, 'precondition_failed'])
  assert.equal((await call(`GET ${at}`)).body['maintenance'], true)
  assert.equal((await patch(`"another", ${await etagOf(at)}`, false)).status, 200)
  assert.equal((await patch('*', true)).status, 200)

  const vars = `${at}/config-vars`
  const before = await etagOf(vars)
  const set = (vars_: object, etag: string) =>
    call(`PATCH ${vars}`, vars_, { 'if-match': etag })
  assert.equal((await set({ ONE: '1' }, before)).status, 200)
  assert.equal((await set({ ONE: '2' }, before)).status, 412)
  assert.deepEqual((await call(`GET ${vars}`)).body, { ONE: '1' })

  // There is nothing to read at that path, so that nothing of it can have been read.
  const acm = await call(`POST ${at}/acm`, undefined, { 'if-match': before })
  assert.equal(acm.status, 412)
  assert.equal((await call(`DELETE ${at}`, undefined, { 'if-match': read })).status, 412)
  const gone = await call(`DELETE ${at}`, undefined, { 'if-match': await etagOf(at) })
  assert.equal(gone.status, 200)
})

test('what names the address it was asked at is compared without it', async () => {
  const { call } = await anApi(pool)
  await call('POST /apps', { name: 'addressed' })
  const source = { source_blob: { url: 'https://example.com/x.tgz' } }
  const at = '/apps/addressed/builds'
  await call(`POST ${at}`, source)
  const host = { host: 'api.example.com:5080' }
  const { headers, body } = await call(`GET ${at}`, undefined, host)
  assert.match(JSON.stringify(body), /api\.example\.com/)
  const etag = String(headers['etag'])
  const made = await call(`POST ${at}`, source, { ...host, 'if-match': etag })
  assert.equal(made.status, 201, JSON.stringify(made.body))
})

test('reading heeds it not', async () => {
  const { call } = await anApi(pool)
  assert.equal((await call('GET /account', undefined, { 'if-match': '"x"' })).status, 200)
})
