/** URLs whose holders need no token: who has the database, or a copy of it, has none of them. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { newId } from '../src/model/ids.ts'
import { anApi, type Json } from './an-api.ts'
import { anApp } from './an-app.ts'
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

test('nor is what lets its holder read what a build or a release phase prints', async (t) => {
  const own = await anApp(pool)
  await own.deploy({ release: 'migrate' })
  const { call, server } = await anApi(pool)
  t.after(() => server.close())
  const at = `/apps/${own.app.name}`
  const source_blob = { url: 'https://user:secret-of-a-store@example.com/a.tgz' }
  const made = await call(`POST ${at}/builds`, { source_blob })
  assert.equal(made.body['source_blob']?.['url'], source_blob.url)
  await assertNowhere('secret-of-a-store')
  for (const nouns of ['builds', 'releases']) {
    const { body } = await call(`GET ${at}/${nouns}`)
    const { pathname } = new URL(
      String((body as unknown as Json[]).at(-1)?.['output_stream_url']),
    )
    const token = pathname.split('/')[2] ?? ''
    const [id = '', signature = ''] = token.split('.')
    assert.ok(signature)
    await assertNowhere(signature)
    for (const forged of [
      id,
      `${id}.`,
      `${id}.${'A'.repeat(signature.length)}`,
      `${newId()}.${signature}`,
    ]) {
      const url = pathname.replace(token, forged)
      assert.equal((await server.inject(url)).statusCode, 404, url)
    }
    const other = nouns === 'builds' ? 'releases' : 'builds'
    assert.equal((await server.inject(pathname.replace(nouns, other))).statusCode, 404)
  }
})

test('nor is what lets its holder read a log', async (t) => {
  const { app } = await anApp(pool)
  const { call, server } = await anApi(pool)
  t.after(() => server.close())
  const { body } = await call(`POST /apps/${app.name}/log-sessions`, { tail: true })
  const token = String(body['logplex_url']).split('/').at(-1)
  assert.ok(token)
  await assertNowhere(token)
})
