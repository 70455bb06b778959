/** What dynos and the platform say, through the real logs process: read once, and whole. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { suite, test } from 'node:test'

import { BURST, LINES } from '../src/logs/log-quota.ts'
import { writeLogLines } from '../src/store/log-lines.ts'
import { type ADyno, aLogsPart, numbered, record } from '../test/a-logs-part.ts'
import { aDatabase } from '../test/postgres.ts'
import { until } from '../test/until.ts'

const pool = aDatabase()

const L12 =
  /^app\[log-shuttle\]: Error L12: (\d+) messages dropped since \d{4}-\d\d-\d\dT[\d:.]{15}\+00:00$/

suite('logs', () => {
  const logs = aLogsPart(pool)
  const { data } = logs

  test('what dynos and the platform said is read at once after it was said', async () => {
    const app = await logs.anApp()
    const web = await logs.aDyno(app)
    web.print('héllo', '')
    await writeLogLines(pool, [
      { app, source: 'heroku', ps: 'web.1', message: 'Restarting' },
      { app, source: 'app', ps: 'api', message: 'Set A config vars by user é' },
    ])
    const all = await logs.read(app)
    assert.deepEqual(
      new Set(all),
      new Set([
        'app[web.1]: héllo',
        'app[web.1]: ',
        'heroku[web.1]: Restarting',
        'app[api]: Set A config vars by user é',
      ]),
    )
    assert.deepEqual(await logs.read(app, { source: 'heroku' }), [
      'heroku[web.1]: Restarting',
    ])
    assert.deepEqual(await logs.read(app, { dyno: 'web', source: 'app', lines: 1 }), [
      'app[web.1]: ',
    ])
    assert.deepEqual(
      await logs.read(app, { dyno: 'api' }),
      all.filter((it) => it.includes('api')),
    )
    const { rows } = await pool.query('select id from log_lines')
    assert.deepEqual(rows, [])
  })

  test('a line has the time at which it was said', async () => {
    const app = await logs.anApp()
    await pool.query(
      `insert into log_lines (app, at, source, ps, message)
       values ($1, '2026-01-02T03:04:05.678901+01', 'heroku', 'web.1', 'x')`,
      [app],
    )
    const text = (await (await logs.get(await logs.aSession(app))).toArray()).join('')
    assert.match(text, /^2026-01-02T02:04:05.678901\+00:00 heroku\[web.1\]: x\n$/)
  })

  test('a history ends at once for the CLI', async () => {
    const app = await logs.anApp()
    const web = await logs.aDyno(app)
    web.print(...numbered(3))
    const session = await logs.aSession(app, { lines: 2 })
    const response = await logs.get(session, { accept: 'text/event-stream' })
    const text = (await response.toArray()).join('')
    assert.match(
      text,
      /^retry: 10\n\ndata: \S+ app\[web.1\]: line 1\ndata: \S+ app\[web.1\]: line 2\n\n$/,
    )
  })

  test('a dyno that goes is read to its end, and its file deleted', async () => {
    const app = await logs.anApp()
    const web = await logs.aDyno(app)
    web.print('first')
    assert.deepEqual(await logs.read(app), ['app[web.1]: first'])
    web.print('last')
    appendFileSync(web.log, record('no newline', 'P'))
    web.remove()
    await until(
      'the file is gone',
      () => !existsSync(join(data.endedLogs, `${web.id}.log`)),
    )
    assert.deepEqual(await logs.read(app), [
      'app[web.1]: first',
      'app[web.1]: last',
      'app[web.1]: no newline',
    ])
  })

  test('a file that conmon replaced is read to its end before the new one', async () => {
    const app = await logs.anApp()
    const web = await logs.aDyno(app)
    web.print(...numbered(1))
    assert.equal((await logs.read(app)).length, 1)
    web.print(...numbered(5000, 1))
    writeFileSync(`${web.log}.tmp`, record('line 5001'))
    renameSync(`${web.log}.tmp`, web.log)
    web.print('line 5002')
    await until(
      'the new file is read',
      async () => (await logs.read(app)).at(-1) === 'app[web.1]: line 5002',
    )
    assert.deepEqual(
      await logs.read(app),
      numbered(1500, 3503).map((line) => `app[web.1]: ${line}`),
    )
  })

  test('what the real conmon writes is read: many lines, long ones, unfinished ones', async () => {
    const app = await logs.anApp()
    const web = await logs.aDyno(app)
    await runUnderConmon(
      web,
      'seq 5000; head -c 25000 /dev/zero | tr "\\0" x; echo; printf end',
    )
    web.remove()
    await until('all is read', () => !existsSync(join(data.endedLogs, `${web.id}.log`)))
    const last = [10_000, 10_000, 5000].map((count) => 'x'.repeat(count)).concat('end')
    const numbers = Array.from({ length: 1496 }, (_, index) => String(3505 + index))
    assert.deepEqual(
      await logs.read(app),
      [...numbers, ...last].map((line) => `app[web.1]: ${line}`),
    )
  })

  test('what a dyno prints beyond its allowance is counted, and others are heard: L12', async () => {
    const [loud, quiet] = await Promise.all([logs.anApp(), logs.anApp()])
    const neighbour = await logs.aDyno(quiet)
    let floods = 0
    // Meanwhile there is an allowance again: where the last of what was printed finds it, that is kept.
    await until('the last line tells of what was dropped', async () => {
      const flooding = await logs.aDyno(loud, `web${floods}`)
      for (let second = 0; second < 2 * BURST; second++)
        flooding.print(...numbered(LINES))
      neighbour.print(`still heard ${++floods}`)
      const heard = await logs.read(quiet)
      assert.equal(heard.at(-1), `app[web.1]: still heard ${floods}`)
      flooding.remove()
      const ended = join(data.endedLogs, `${flooding.id}.log`)
      await until('all is read', () => !existsSync(ended))
      const [last = ''] = await logs.read(loud, { lines: 1 })
      return L12.test(last)
    })
  })

  test("a destroyed app's lines go with it", async () => {
    const app = await logs.anApp()
    const web = await logs.aDyno(app)
    web.print('x')
    assert.equal((await logs.read(app)).length, 1)
    assert.ok(existsSync(join(data.logs, app)))
    await pool.query('update apps set deleted_at = now() where id = $1', [app])
    await logs.kill('SIGKILL')
    await logs.start()
    await until('its journal is gone', () => !existsSync(join(data.logs, app)))
  })
})

/** conmon with a runtime that runs a shell instead of a container. */
async function runUnderConmon(dyno: ADyno, script: string): Promise<void> {
  const bundle = dirname(dyno.log)
  const at = (name: string) => join(bundle, name)
  mkdirSync(at('exits'))
  writeFileSync(at('config.json'), '{}')
  writeFileSync(at('script'), script)
  writeFileSync(
    at('runtime'),
    `#!/bin/sh\nsh ${at('script')} </dev/null &\necho $! > ${at('pid')}\n`,
    { mode: 0o755 },
  )
  const options = {
    cid: dyno.id,
    cuuid: dyno.id,
    name: 'web.1',
    runtime: at('runtime'),
    bundle,
    'container-pidfile': at('pid'),
    'conmon-pidfile': at('monitor.pid'),
    'exit-dir': at('exits'),
    'persist-dir': at('exits'),
    'log-path': `k8s-file:${dyno.log}`,
    'log-level': 'error',
  }
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`)
  const conmon = spawn('conmon', ['--sync', '--full-attach', '--no-sync-log', ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  await once(conmon, 'exit')
  await until('conmon is done', () => existsSync(at(join('exits', dyno.id))))
}
