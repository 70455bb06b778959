import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { anApp } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { type AppId, newId } from '../model/ids.ts'
import { writeLogLines } from '../store/log-lines.ts'
import type { Queryable } from '../store/queryable.ts'
import { Channels } from './channels.ts'
import { takePlatformLines } from './platform-lines.ts'

const pool = aDatabase()
const directory = mkdtempSync(join(tmpdir(), 'mayfly-platform-'))
after(() => rmSync(directory, { recursive: true }))

/** What a process killed before the delete leaves behind. */
const dyingBeforeDelete: Queryable = {
  async query(text, values) {
    if (text.startsWith('delete')) throw new Error('killed')
    return pool.query(text, values as unknown[])
  },
}

test('lines are taken once, though the process dies before it deletes them', async () => {
  const { app } = await anApp(pool)
  const say = (message: string) =>
    writeLogLines(pool, [{ app: app.id, source: 'heroku', ps: 'web.1', message }])
  await takePlatformLines(pool, new Channels(directory))
  const before = new Channels(directory).of(app.id).journal.last

  await say('one')
  await assert.rejects(
    takePlatformLines(dyingBeforeDelete, new Channels(directory)),
    /killed/,
  )
  await say('two\nmore')
  const channels = new Channels(directory)
  await takePlatformLines(pool, channels)
  const said = [...channels.of(app.id).journal.read(before)].map((batch) =>
    batch.text.slice(33),
  )
  assert.deepEqual(said, ['heroku[web.1]: one\n', 'heroku[web.1]: two more\n'])
})

test('lines of an app that is gone are thrown away', async () => {
  const app: AppId = newId()
  await writeLogLines(pool, [{ app, source: 'heroku', ps: 'web.1', message: 'x' }])
  const channels = new Channels(directory)
  await takePlatformLines(pool, channels)
  assert.ok(!channels.apps().includes(app))
  assert.deepEqual((await pool.query('select id from log_lines')).rows, [])
})
