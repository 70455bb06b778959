/** What a client of the API sees where another holds for long what its request waits for. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApi } from '../../test/an-api.ts'
import { aDatabase } from '../../test/postgres.ts'
import { openPool } from '../installation/database.ts'
import { patientDatabase } from '../store/patient-database.ts'
import { inTransaction } from '../store/queryable.ts'

const pool = aDatabase()

for (const [what, limits] of [
  ['a lock', { lock_timeout: 20 }],
  ['a statement', { statement_timeout: 2000 }],
] as const) {
  test(`a request for which ${what} takes too long is told to come again`, async () => {
    const hasty = openPool({ ...pool.options, ...limits }, 4)
    try {
      const { call } = await anApi(patientDatabase(hasty))
      const { body: app } = await call('POST /apps', {})
      const change = () => call(`PATCH /apps/${app.name}`, { maintenance: true })
      const answer = await inTransaction(pool, async (tx) => {
        await tx.query('select from apps where id = $1 for update', [app.id])
        return change()
      })
      assert.equal(answer.status, 503)
      assert.deepEqual(answer.body, {
        id: 'service_unavailable',
        message:
          'The database is busy with what this request waits for. Try again in a few seconds.',
      })
      assert.equal((await change()).status, 200)
    } finally {
      await hasty.end()
    }
  })
}
