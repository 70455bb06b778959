/** What git's hook writes down of pushes that came to nothing. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { anApp } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { dataDirectory } from '../installation/data-directory.ts'
import { LOG_MOST_BYTES } from '../installation/part-log.ts'
import { newId } from '../model/ids.ts'

const pool = aDatabase()
const root = mkdtempSync(join(tmpdir(), 'mayfly-hook-'))
const data = dataDirectory(root)
const log = join(data.run('git'), 'pre-receive.log')
mkdirSync(data.run('git'), { recursive: true })
after(() => rmSync(root, { recursive: true }))

function push(app: string, database = pool.options.database) {
  const { status, stdout } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, '../../bin/pre-receive.ts')],
    {
      input: `${'0'.repeat(40)} ${'1'.repeat(40)} refs/heads/main\n`,
      encoding: 'utf8',
      env: {
        ...process.env,
        MAYFLY_DATA: root,
        MAYFLY_APP: app,
        MAYFLY_ACCOUNT: newId(),
        MAYFLY_AUTHORIZATION: newId(),
        DATABASE_URL: `postgresql:///${database}`,
      },
    },
  )
  return { status, stdout }
}

test('of a push that is refused nothing is written down', async () => {
  const { app } = await anApp(pool)
  for (const [name, words] of [
    ['no-such-app', /Couldn't find that app/],
    [app.name, /may not deploy this app any more/],
  ] as const) {
    const { status, stdout } = push(name)
    assert.equal(status, 1)
    assert.match(stdout, words)
    assert.ok(!existsSync(log))
  }
})

test('of what is our fault it is, in a file of bounded length', () => {
  writeFileSync(log, '')
  truncateSync(log, LOG_MOST_BYTES + 1)
  const { status, stdout } = push('an-app', 'no-such-database')
  assert.equal(status, 1)
  assert.match(stdout, /Internal error/)
  assert.ok(statSync(log).size < LOG_MOST_BYTES)
  assert.match(readFileSync(log, 'utf8'), /a push could not be built.*no-such-database/)
})
