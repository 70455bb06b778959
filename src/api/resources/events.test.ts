import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { anApi, type Json } from '../../../test/an-api.ts'
import { anApp } from '../../../test/an-app.ts'
import { aDatabase } from '../../../test/postgres.ts'
import { appEvent, EVENT_KINDS } from '../../model/event.ts'
import { newId } from '../../model/ids.ts'
import { writeEvents } from '../../store/events.ts'

const pool = aDatabase()
const at = new Date('2026-01-01T00:00:00Z')

test('the newest come first when asked so, in parts, of one dyno or kind', async () => {
  const { call } = await anApi(pool)
  const { app } = await anApp(pool)
  const [one, other] = [newId<'dyno'>(), newId<'dyno'>()]
  const about = { app: app.id, at, cause: 'crash' }
  await pool.query('delete from events')
  await writeEvents(pool, [
    appEvent({ ...about, kind: 'dyno.up', dyno: one, ps: 'web.1', message: '1' }),
    appEvent({ ...about, kind: 'dyno.crashed', dyno: one, ps: 'web.1', message: '2' }),
    appEvent({ ...about, kind: 'dyno.up', dyno: other, ps: 'run.7', message: '3' }),
  ])
  const path = `/apps/${app.name}/events`
  const get = (query: string, range = '') =>
    call(`GET ${path}${query}`, undefined, { range })

  const first = await get('', 'id ..; max=2, order=desc')
  assert.equal(first.status, 206)
  assert.deepEqual(messages(first.body), ['3', '2'])
  const rest = await get('', String(first.headers['next-range']))
  assert.equal(rest.status, 200)
  assert.deepEqual(messages(rest.body), ['1'])

  assert.deepEqual(messages((await get('')).body), ['1', '2', '3'])
  assert.deepEqual(messages((await get('?dyno=web.1')).body), ['1', '2'])
  assert.deepEqual(messages((await get(`?dyno=${other}`)).body), ['3'])
  const { body } = await get('?dyno=web.1&kind=dyno.crashed')
  assert.deepEqual(body, [
    {
      app: { id: app.id, name: app.name },
      cause: 'crash',
      created_at: '2026-01-01T00:00:00.000Z',
      dyno: { id: one, name: 'web.1' },
      id: (body as unknown as Json[])[0]?.id,
      kind: 'dyno.crashed',
      message: '2',
      release: null,
      type: 'web',
    },
  ])
})

test('a kind that there is not is refused, naming those there are', async () => {
  const { call } = await anApi(pool)
  const { app } = await anApp(pool)
  const { status, body } = await call(`GET /apps/${app.name}/events?kind=bogus`)
  const kinds = `${EVENT_KINDS.slice(0, -1).join(', ')} or ${EVENT_KINDS.at(-1)}`
  assert.deepEqual(
    [status, body.message],
    [422, `Invalid parameters: kind must be ${kinds}.`],
  )
})

function messages(body: Json): string[] {
  return (body as unknown as Json[]).map((it) => String(it.message))
}

test('docs/api/events.md lists every kind', () => {
  const file = join(import.meta.dirname, '../../../docs/api/events.md')
  const rows = readFileSync(file, 'utf8').matchAll(/^\| `([\w.-]+)` +\|/gm)
  assert.deepEqual(
    [...rows].map(([, kind]) => kind),
    EVENT_KINDS,
  )
})
