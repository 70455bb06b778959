import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import { anApp, type AnApp } from '../../test/an-app.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { idleApp } from '../actions/idle-app.ts'
import { systemClock } from '../lib/clock.ts'
import { silentLog } from '../lib/log.ts'
import { newId } from '../model/ids.ts'
import { inTransaction } from '../store/queryable.ts'
import { heedWakeCalls } from './heed-wake-calls.ts'

const pool = aDatabase()

async function listening(t: TestContext): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'mayfly-wake-'))
  const socket = join(directory, 'wake.sock')
  const over = new AbortController()
  t.after(() => {
    over.abort()
    rmSync(directory, { recursive: true })
  })
  // As a manager that was killed leaves it.
  await heedWakeCalls({ socket, pool, clock: systemClock, log: silentLog }, over.signal)
  return socket
}

async function say(socket: string, text: string): Promise<void> {
  const connection = connect(socket).on('error', () => {})
  connection.end(text)
  await once(connection, 'close')
}

async function asleep(app: AnApp): Promise<boolean> {
  const { rows } = await pool.query(
    'select from apps where id = $1 and idle_since is null',
    [app.app.id],
  )
  return rows.length === 0
}

test('where nobody can listen it rejects, and is not waited for', async () => {
  const calls = { socket: '/nowhere/wake.sock', pool, clock: systemClock, log: silentLog }
  const { signal } = new AbortController()
  await assert.rejects(heedWakeCalls(calls, signal), { syscall: 'listen' })
})

test('a hundred calls at once are one wake; what is no call is nothing', async (t) => {
  const app = await anApp(pool)
  await app.deploy()
  const region = app.app.region
  await inTransaction(pool, (tx) => idleApp(tx, { id: app.app.id, region }, new Date()))
  await pool.query('delete from work')
  const socket = await listening(t)

  await say(socket, `hello\n${newId()}\n${'x'.repeat(5000)}`)
  assert.equal(await asleep(app), true)
  await Promise.all(Array.from({ length: 100 }, () => say(socket, `${app.app.id}\n`)))
  await until('it is awake', async () => !(await asleep(app)))
  await say(socket, `${app.app.id}\n`)
  const { rows } = await pool.query('select kind, wakes::integer from work order by kind')
  assert.deepEqual(rows, [
    { kind: 'formation', wakes: 0 },
    { kind: 'formation', wakes: 0 },
    { kind: 'router', wakes: 0 },
  ])
})
