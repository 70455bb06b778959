import assert from 'node:assert/strict'
import { test } from 'node:test'

import { anApp } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { appEvent } from '../model/event.ts'
import { newId } from '../model/ids.ts'
import {
  findEvents,
  forgetEventsBefore,
  type WhichEvents,
  writeEvents,
} from './events.ts'

const pool = aDatabase()
const at = new Date('2026-01-01T00:00:00Z')
const all: WhichEvents = {
  kind: undefined,
  dyno: undefined,
  from: undefined,
  to: undefined,
  descending: false,
  most: 100,
}

test('what is written is found in its order, of one dyno, of one kind, newest first', async () => {
  const { app } = await anApp(pool)
  const dyno = newId<'dyno'>()
  const web = { dyno, ps: 'web.1', cause: 'cycling' }
  const since = (await findEvents(pool, app.id, { ...all, descending: true }))[0]?.id ?? 0
  await writeEvents(pool, [
    appEvent({ app: app.id, at, kind: 'formation.scaled', ps: 'web', message: 'one' }),
    appEvent({ app: app.id, at, kind: 'dyno.stopping', message: 'two', ...web }),
    appEvent({ app: app.id, at, kind: 'dyno.down', message: 'three', ...web }),
  ])
  const found = async (which: Partial<WhichEvents>) => {
    const wanted = { ...all, from: which.descending ? undefined : since + 1, ...which }
    return (await findEvents(pool, app.id, wanted)).map((it) => it.message)
  }

  assert.deepEqual(await found({}), ['one', 'two', 'three'])
  assert.deepEqual(await found({ dyno: 'web.1' }), ['two', 'three'])
  assert.deepEqual(await found({ dyno }), ['two', 'three'])
  assert.deepEqual(await found({ kind: 'dyno.down' }), ['three'])
  assert.deepEqual(await found({ descending: true, most: 2 }), ['three', 'two'])
  const [last] = await findEvents(pool, app.id, { ...all, descending: true, most: 1 })
  assert.deepEqual(last, {
    ...appEvent({ app: app.id, at, kind: 'dyno.down', message: 'three', ...web }),
    id: last?.id,
  })
  assert.deepEqual(
    await found({ descending: true, from: (last?.id ?? 0) - 1, most: 1 }),
    ['two'],
  )
})

test('old events are forgotten', async () => {
  const { app } = await anApp(pool)
  const event = { app: app.id, kind: 'app.changed' } as const
  await writeEvents(pool, [
    appEvent({ ...event, at, message: 'old' }),
    appEvent({ ...event, at: new Date(at.getTime() + 1), message: 'young' }),
  ])
  await forgetEventsBefore(pool, new Date(at.getTime() + 1))
  const kept = await findEvents(pool, app.id, { ...all, kind: 'app.changed' })
  assert.deepEqual(
    kept.map((it) => it.message),
    ['young'],
  )
})
