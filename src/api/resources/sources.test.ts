import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'

import { type AnApi, anApi } from '../../../test/an-api.ts'
import { aDatabase } from '../../../test/postgres.ts'
import { dataDirectory } from '../../installation/data-directory.ts'

const pool = aDatabase()
const data = dataDirectory(mkdtempSync(join(tmpdir(), 'mayfly-sources-')))

suite('the secret URLs of a source', () => {
  before(() => mkdir(data.sources))
  after(() => rm(data.root, { recursive: true }))

  test('uploads count as requests of the account whose source it is', async () => {
    const api = await anApi(pool, { data, allowance: { requestsPerHour: 3 } })
    const { put } = await aSource(api)
    assert.equal((await put('one')).statusCode, 200)
    assert.equal((await put('two')).statusCode, 200)
    const refused = await put('three')
    assert.equal(refused.statusCode, 429)
    assert.equal(refused.json<{ id: string }>().id, 'rate_limit')
    assert.equal((await api.call('POST /sources')).status, 429)
    // Nor does what was refused fill the audit log.
    const { rows } = await pool.query("select from audit where method = 'PUT'")
    assert.equal(rows.length, 2)
  })

  test('an hour after it was made nothing is put there, however often it was before', async () => {
    const { put, get } = await aSource(await anApi(pool, { data }))
    assert.equal((await put('early')).statusCode, 200)
    await pool.query("update sources set created_at = now() - interval '59 minutes'")
    assert.equal((await put('later')).statusCode, 200)
    await pool.query("update sources set created_at = now() - interval '1 hour'")
    assert.equal((await put('too late')).statusCode, 404)
    assert.equal((await get()).body, 'later')
  })
})

/** Puts to it and reads it as who has nothing but its URLs. */
async function aSource({ server, call }: AnApi) {
  const { source_blob } = (await call('POST /sources')).body
  return {
    put: (payload: string) =>
      server.inject({ method: 'PUT', url: pathOf(source_blob?.['put_url']), payload }),
    get: () => server.inject(pathOf(source_blob?.['get_url'])),
  }
}

function pathOf(url: string | undefined): string {
  return new URL(url ?? '').pathname
}
