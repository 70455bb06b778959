/** What is said of a change of an app is so: when it was, and that it was one. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { type AnApi, anApi } from '../../../test/an-api.ts'
import { aDatabase } from '../../../test/postgres.ts'

const pool = aDatabase()
let call: AnApi['call']

async function publishedOf(app: string): Promise<readonly object[]> {
  const { rows } = await pool.query<{ previous: object }>(
    `select payload -> 'previous_data' as previous from webhook_events
      where app = $1 order by seq`,
    [app],
  )
  return rows.map((it) => it.previous)
}

test('a change is answered with the time it was made at, and told once', async () => {
  ;({ call } = await anApi(pool))
  const { body: made } = await call('POST /apps', { name: 'calm' })
  const hook = { include: ['api:app'], level: 'notify', url: 'https://198.41.0.4/' }
  assert.equal((await call('POST /apps/calm/webhooks', hook)).status, 201)

  const { body: changed } = await call('PATCH /apps/calm', { maintenance: true })
  assert.notEqual(changed.updated_at, made.updated_at)
  assert.deepEqual(changed, (await call('GET /apps/calm')).body)
  assert.deepEqual(await publishedOf(String(made.id)), [{ maintenance: false }])

  const nothing = [{ maintenance: true }, { name: 'calm' }, {}]
  for (const wish of nothing) {
    const { status, body } = await call('PATCH /apps/calm', wish)
    assert.equal(status, 200)
    assert.deepEqual(body, changed, JSON.stringify(wish))
  }
  assert.equal((await publishedOf(String(made.id))).length, 1)
})

test(`a team's app that is locked is answered as it is then`, async () => {
  assert.equal((await call('POST /teams', { name: 'swarm' })).status, 201)
  const { body: made } = await call('POST /teams/apps', { name: 'shut', team: 'swarm' })
  const { status, body } = await call('PATCH /teams/apps/shut', { locked: true })
  assert.equal(status, 200)
  assert.notEqual(body.updated_at, made.updated_at)
  assert.deepEqual(body, (await call('GET /teams/apps/shut')).body)
})
