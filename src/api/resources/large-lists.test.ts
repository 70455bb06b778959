/** Lists of what a tenant makes as large as it may be. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApi } from '../../../test/an-api.ts'
import { anApp } from '../../../test/an-app.ts'
import { aDatabase } from '../../../test/postgres.ts'

const pool = aDatabase()
const MOST = 2 * 1024 * 1024

test('an answer has so many bytes, and what is beyond comes with the next part', async () => {
  const { app, account } = await anApp(pool)
  await pool.query(
    `insert into builds (id, app, account, status, step, source_description, source_checksum, stack)
     select gen_random_uuid(), $1, $2, 'failed', null, repeat('x', 7000),
            repeat('€', 2000), 'debian-12'
       from generate_series(1, 400) as n`,
    [app.id, account.id],
  )
  const { server, token } = await anApi(pool)
  const ask = (range: string) =>
    server.inject({
      url: `/apps/${app.name}/builds`,
      headers: {
        accept: 'application/vnd.heroku+json; version=3',
        authorization: `Bearer ${token}`,
        range,
      },
    })
  const seen: string[] = []
  let parts = 0
  for (let range: string | undefined = 'id ..; max=1000'; range !== undefined;) {
    const answer = await ask(range)
    assert.match(String(answer.headers['content-type']), /^application\/json\b/)
    const bytes = answer.rawPayload.length
    // With commas between.
    assert.ok(bytes <= MOST + 1000, String(bytes))
    range = answer.headers['next-range'] as string | undefined
    assert.equal(answer.statusCode, range === undefined ? 200 : 206)
    // A part that another follows is as full as it can be: a build has 14 KB.
    if (range !== undefined) assert.ok(bytes > MOST - 20_000, String(bytes))
    const ids = answer.json<{ id: string }[]>().map(({ id }) => id)
    assert.equal(answer.headers['content-range'], `id ${ids[0]}..${ids.at(-1)}`)
    seen.push(...ids)
    parts += 1
  }
  assert.equal(parts, 3)
  assert.equal(new Set(seen).size, 400)
  assert.deepEqual(seen, seen.toSorted())
})
