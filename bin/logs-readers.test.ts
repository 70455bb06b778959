/** Who may read a log by the real logs process: how many at once, for how long, and from where on. */

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { suite, test } from 'node:test'

import { newId } from '../src/model/ids.ts'
import { digestOf } from '../src/model/token.ts'
import { writeLogLines } from '../src/store/log-lines.ts'
import { aLogsPart, numbered } from '../test/a-logs-part.ts'
import { aDatabase } from '../test/postgres.ts'
import { until } from '../test/until.ts'

const pool = aDatabase()

suite('readers of logs', () => {
  const logs = aLogsPart(pool)
  const { data } = logs

  test('unknown and outlived sessions are not found', async () => {
    const app = await logs.anApp()
    assert.equal((await logs.get(randomUUID())).statusCode, 404)
    assert.equal((await logs.get('../etc')).statusCode, 404)
    const session = await logs.aSession(app)
    await pool.query(
      `update log_sessions set created_at = now() - interval '7 minutes' where token_sha256 = $1`,
      [digestOf(session)],
    )
    assert.equal((await logs.get(session)).statusCode, 404)
  })

  test('so many read the log of an app, and no more until one leaves', async () => {
    const [app, another] = [await logs.anApp(), await logs.anApp()]
    const session = await logs.aSession(app, { tail: true })
    const readers = await Promise.all(Array.from({ length: 50 }, () => logs.get(session)))
    assert.ok(readers.every((it) => it.statusCode === 200))
    const refused = await logs.get(session)
    assert.equal(refused.statusCode, 429)
    assert.match((await refused.toArray()).join(''), /^As many read the log of this app/)
    assert.equal((await logs.get(await logs.aSession(another))).statusCode, 200)
    for (const it of readers) it.on('error', () => {}).destroy()
    await until('there is room', async () => {
      const reader = await logs.get(session)
      reader.on('error', () => {}).destroy()
      return reader.statusCode === 200
    })
  })

  test('an account reads so many logs, and others read on', async () => {
    const apps = await Promise.all(Array.from({ length: 3 }, () => logs.anApp()))
    const { rows } = await pool.query('select owner from apps where id = any($1)', [apps])
    const [account, another] = rows.map((row) => String(row.owner))
    const sessions = await Promise.all(
      apps.map((app) => logs.aSession(app, { tail: true, ...(account && { account }) })),
    )
    const [first = '', second = '', third = ''] = sessions
    const both = [first, second].flatMap((it) => Array.from({ length: 50 }, () => it))
    const readers = await Promise.all(both.map((it) => logs.get(it)))
    assert.ok(readers.every((it) => it.statusCode === 200))
    const refused = await logs.get(third)
    assert.equal(refused.statusCode, 429)
    assert.equal(refused.headers['retry-after'], '30')
    assert.match((await refused.toArray()).join(''), /^Your account reads as many logs/)
    const [, , app = newId()] = apps
    const theirs = await logs.aSession(app, { ...(another && { account: another }) })
    assert.equal((await logs.get(theirs)).statusCode, 200)
    for (const it of readers) it.on('error', () => {}).destroy()
    await until('there is room', async () => {
      const reader = await logs.get(third)
      reader.on('error', () => {}).destroy()
      return reader.statusCode === 200
    })
  })

  test('who hangs up before they are answered takes nobody’s place', async () => {
    const session = await logs.aSession(await logs.anApp(), { tail: true })
    const path = join(data.run('logs'), 'http.sock')
    for (let n = 0; n < 100; n++) {
      const socket = createConnection(path)
      socket.write(`GET /sessions/${session} HTTP/1.1\r\nHost: x\r\n\r\n`)
      await once(socket, 'ready')
      socket.destroy()
    }
    await until('there is room', async () => {
      const reader = await logs.get(session)
      reader.on('error', () => {}).destroy()
      return reader.statusCode === 200
    })
  })

  test('a tail goes on live, and after a lost connection where it was', async () => {
    const app = await logs.anApp()
    const web = await logs.aDyno(app)
    web.print(...numbered(10))
    const session = await logs.aSession(app, { tail: true, lines: 3, dyno: 'web.1' })
    const first = await logs.follow(session)
    await until('the history has come', () => first.lines().length === 3)
    web.print(...numbered(5, 10))
    await writeLogLines(pool, [{ app, source: 'heroku', ps: 'router', message: 'no' }])
    await until('live lines have come', () => first.lines().length === 8)
    assert.ok(!first.text().includes('retry'))
    first.close()

    web.print(...numbered(2000, 15))
    const lastId = first.lastId()
    const second = await logs.follow(session, { 'last-event-id': lastId })
    await until('the rest has come', () => second.lines().length === 2000)
    const all = [...first.lines(), ...second.lines()]
    assert.deepEqual(
      all,
      numbered(2008, 7).map((line) => `app[web.1]: ${line}`),
    )
    second.close()
  })

  test('asked to end, it ends its readers in good order', async () => {
    const response = await logs.get(
      await logs.aSession(await logs.anApp(), { tail: true }),
    )
    const ended = once(response.resume(), 'end')
    await logs.kill('SIGTERM')
    await ended
    assert.equal(logs.process.exitCode, 0)
    await logs.start()
  })
})
