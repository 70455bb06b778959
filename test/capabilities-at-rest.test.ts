/** URLs whose holders need no token: who has the database, or a copy of it, has none of them. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApi } from './an-api.ts'
import { aDatabase } from './postgres.ts'

const pool = aDatabase()

/** All rows of all tables, as text. */
async function everything(): Promise<string> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `select relname as name from pg_class
      where relkind = 'r' and relnamespace = 'public'::regnamespace`,
  )
  const texts = tables.map(async ({ name }) => {
    const { rows } = await pool.query<{ row: string }>(
      `select to_jsonb(t)::text as row from ${name} t`,
    )
    return rows.map(({ row }) => `${name} ${row}\n`).join('')
  })
  return (await Promise.all(texts)).join('')
}

/** As text, and as bytes. */
async function assertNowhere(secret: string): Promise<void> {
  const all = await everything()
  for (const form of [secret, Buffer.from(secret).toString('hex')])
    assert.ok(!all.includes(form), `${secret} is in ${lineWith(all, form)}`)
}

const lineWith = (text: string, part: string) =>
  text.split('\n').find((it) => it.includes(part))

test('what lets its holder write or read a source is nowhere in the database', async (t) => {
  const { call, server } = await anApi(pool)
  t.after(() => server.close())
  const { body } = await call('POST /sources')
  for (const key of ['put_url', 'get_url']) {
    const token = String(body['source_blob']?.[key]).split('/').at(-1)
    assert.ok(token)
    await assertNowhere(token)
  }
})
