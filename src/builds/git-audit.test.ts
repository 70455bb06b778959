/** What the audit log has of pushes that are turned away: what they were answered. */

import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { aGitServer } from '../../test/a-git-server.ts'
import { aDatabase } from '../../test/postgres.ts'

const bounds = [
  [413, { repositoryLimit: 0 }],
  [429, { turnLimits: { ofEach: 0, ofAll: 1 } }],
  [503, { turnLimits: { ofEach: 1, ofAll: 0 } }],
] as const

for (const [status, but] of bounds) {
  suite(`pushes that are answered ${status}`, () => {
    // First: hooks of one level do not wait for one another.
    const pool = aDatabase()
    const server = aGitServer(pool, but)

    test('are written down so, and fetches are not', async () => {
      await pool.query('delete from audit')
      const at = `/${server.made.app.name}.git`
      const push = await server.send(
        'GET',
        `${at}/info/refs?service=git-receive-pack`,
        {},
      )
      assert.equal(push.status, status)
      await server.send('GET', `${at}/info/refs?service=git-upload-pack`, {})
      const { rows } = await pool.query('select route, status from audit')
      assert.deepEqual(rows, [{ route: '/:app.git/git-receive-pack', status }])
    })
  })
}
