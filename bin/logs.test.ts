/** The real logs process, in its own role of a real database, between it, files as conmon writes them, and readers. */

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type IncomingMessage, request } from 'node:http'
import { type AddressInfo, createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, suite, test } from 'node:test'

import { dataDirectory } from '../src/installation/data-directory.ts'
import { BURST, LINES } from '../src/logs/allowance.ts'
import { roleOf } from '../src/installation/roles.ts'
import { KEY_BYTES, secretBox } from '../src/lib/secret-box.ts'
import { type AppId, type DynoId, newId } from '../src/model/ids.ts'
import { layout } from '../src/model/router-measures.ts'
import { type DeliveryId, PLATFORM } from '../src/model/webhook.ts'
import { putFeature } from '../src/store/app-features.ts'
import { type LogLine, writeLogLines } from '../src/store/log-lines.ts'
import { publish } from '../src/store/publish.ts'
import { aWebhook } from '../test/a-webhook.ts'
import { aDatabase } from '../test/postgres.ts'
import { until } from '../test/until.ts'

const pool = aDatabase()
const data = dataDirectory(mkdtempSync(join(tmpdir(), 'mayfly-logs-')))
const key = randomBytes(KEY_BYTES)
let logs: ChildProcess

async function start(): Promise<void> {
  const { PATH, PGHOST = 'localhost', PGUSER, PGPASSWORD } = process.env
  const database = `postgresql:///${pool.options.database}?host=${encodeURIComponent(PGHOST)}&options=${encodeURIComponent(`-c role=${roleOf('logs')}`)}`
  rmSync(data.readyFile('logs'), { force: true })
  logs = spawn(process.execPath, [join(import.meta.dirname, 'logs.ts')], {
    env: { PATH, PGUSER, PGPASSWORD, MAYFLY_DATA: data.root, DATABASE_URL: database },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  await until('logs is ready', () => existsSync(data.readyFile('logs')))
}

async function kill(signal: NodeJS.Signals): Promise<void> {
  const exited = once(logs, 'exit')
  logs.kill(signal)
  await exited
}

async function anApp(): Promise<AppId> {
  const app: AppId = newId()
  const owner = randomUUID()
  await pool.query(`insert into accounts (id, email) values ($1, $2)`, [
    owner,
    `${owner}@x`,
  ])
  await pool.query(
    `insert into apps (id, name, region, owner, stack) values ($1, $2, 'us', $3, 'debian-12')`,
    [app, `app-${app.slice(0, 8)}`, owner],
  )
  return app
}

interface ADyno {
  readonly id: DynoId
  readonly log: string
  /** Lines as conmon writes them. */
  print(...lines: readonly string[]): void
  /** As the runtime driver removes it. */
  remove(): void
}

async function aDyno(app: AppId, type = 'web'): Promise<ADyno> {
  const id: DynoId = newId()
  const [formation, release] = [randomUUID(), randomUUID()]
  await pool.query(
    `insert into releases (id, app, version, status, description, account, config_vars)
     select $1, id, (random() * 1e9)::integer + 1, 'succeeded', 'Deploy', owner, '' from apps where id = $2`,
    [release, app],
  )
  await pool.query(
    'insert into formations (id, app, type, quantity, size) values ($1, $2, $3, 1, $4)',
    [formation, app, type, 'eco'],
  )
  await pool.query(
    `insert into dynos (id, app, formation, region, type, ordinal, release, size, command, state,
                        address, port, created_at, updated_at)
     values ($1, $2, $3, 'us', $4, 1, $5, 'eco', 'run', 'down', '172.20.0.9', 5000, now(), now())`,
    [id, app, formation, type, release],
  )
  const directory = join(data.dynos('us'), id)
  const log = join(directory, 'log')
  mkdirSync(directory, { recursive: true })
  return {
    id,
    log,
    print: (...lines) => appendFileSync(log, lines.map((line) => record(line)).join('')),
    remove() {
      renameSync(log, join(data.endedLogs, `${id}.log`))
      rmSync(directory, { recursive: true })
    },
  }
}

let nanoseconds = 100_000_000
function record(line: string, flag = 'F'): string {
  nanoseconds += 1
  return `2026-01-01T00:00:00.${nanoseconds}+00:00 stdout ${flag} ${line}\n`
}

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

interface SessionWish {
  readonly lines?: number
  readonly tail?: boolean
  readonly source?: string
  readonly dyno?: string
  readonly account?: string
}

async function aSession(app: AppId, wish: SessionWish = {}): Promise<string> {
  const { lines = 1500, tail = false, source = null, dyno = null, account = null } = wish
  const id = randomUUID()
  await pool.query(
    'insert into log_sessions (id, app, lines, tail, source, dyno, account) values ($1, $2, $3, $4, $5, $6, $7)',
    [id, app, lines, tail, source, dyno, account],
  )
  return id
}

async function get(session: string, headers = {}): Promise<IncomingMessage> {
  const socketPath = join(data.run('logs'), 'http.sock')
  const path = `/sessions/${session}`
  const [response] = (await once(
    request({ socketPath, path, headers }).end(),
    'response',
  )) as [IncomingMessage]
  return response.setEncoding('utf8')
}

/** A whole log as plain text: only what comes after the time of each line. */
async function read(app: AppId, wish: SessionWish = {}): Promise<string[]> {
  const response = await get(await aSession(app, wish))
  assert.equal(response.statusCode, 200)
  const text = (await response.toArray()).join('')
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => line.replace(/^\S+ /, ''))
}

/** A tail by Server-Sent Events; `text` grows as it comes. */
async function follow(session: string, headers = {}) {
  const response = await get(session, { accept: 'text/event-stream', ...headers })
  assert.equal(response.headers['content-type'], 'text/event-stream')
  let text = ''
  response.on('data', (piece: string) => (text += piece))
  response.on('error', () => {})
  // An event that was cut off is none.
  const events = () => text.slice(0, text.lastIndexOf('\n\n') + 2)
  return {
    lines: () =>
      [...events().matchAll(/^data: \S+ (.*)$/gm)].map((match) => match[1] ?? ''),
    lastId: () => [...events().matchAll(/^id: (\d+)$/gm)].at(-1)?.[1],
    text: () => text,
    close: () => response.destroy(),
  }
}

const L12 =
  /^app\[log-shuttle\]: Error L12: (\d+) messages dropped since \d{4}-\d\d-\d\dT[\d:.]{15}\+00:00$/

function numbered(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, index) => `line ${from + index}`)
}

suite('logs', () => {
  before(async () => {
    const installation = {
      id: '000000',
      apiPort: 0,
      domain: 'localhost',
      regions: [{ name: 'us' }],
    }
    writeFileSync(data.installation, JSON.stringify(installation))
    mkdirSync(data.keys.directory)
    writeFileSync(data.keys.webhooks, key)
    writeFileSync(data.webhookSettings, '{"allowedNetworks": ["127.0.0.1"]}')
    await pool.query(
      `insert into regions (id, name, description, country, locale, domain, http_port, subnet)
     values (gen_random_uuid(), 'us', 'here', 'here', 'here', 'localhost', 8080, '172.20.0.0/18')`,
    )
    await start()
  })

  after(async () => {
    await kill('SIGTERM')
    rmSync(data.root, { recursive: true })
  })

  test('what dynos and the platform said is read at once after it was said', async () => {
    const app = await anApp()
    const web = await aDyno(app)
    web.print('héllo', '')
    await writeLogLines(pool, [
      { app, source: 'heroku', ps: 'web.1', message: 'Restarting' },
      { app, source: 'app', ps: 'api', message: 'Set A config vars by user é' },
    ])
    const all = await read(app)
    assert.deepEqual(
      new Set(all),
      new Set([
        'app[web.1]: héllo',
        'app[web.1]: ',
        'heroku[web.1]: Restarting',
        'app[api]: Set A config vars by user é',
      ]),
    )
    assert.deepEqual(await read(app, { source: 'heroku' }), ['heroku[web.1]: Restarting'])
    assert.deepEqual(await read(app, { dyno: 'web', source: 'app', lines: 1 }), [
      'app[web.1]: ',
    ])
    assert.deepEqual(
      await read(app, { dyno: 'api' }),
      all.filter((it) => it.includes('api')),
    )
    const { rows } = await pool.query('select id from log_lines')
    assert.deepEqual(rows, [])
  })

  test('a line has the time at which it was said', async () => {
    const app = await anApp()
    await pool.query(
      `insert into log_lines (app, at, source, ps, message)
       values ($1, '2026-01-02T03:04:05.678901+01', 'heroku', 'web.1', 'x')`,
      [app],
    )
    const text = (await (await get(await aSession(app))).toArray()).join('')
    assert.match(text, /^2026-01-02T02:04:05.678901\+00:00 heroku\[web.1\]: x\n$/)
  })

  test('a history ends at once for the CLI', async () => {
    const app = await anApp()
    const web = await aDyno(app)
    web.print(...numbered(3))
    const session = await aSession(app, { lines: 2 })
    const response = await get(session, { accept: 'text/event-stream' })
    const text = (await response.toArray()).join('')
    assert.match(
      text,
      /^retry: 10\n\ndata: \S+ app\[web.1\]: line 1\ndata: \S+ app\[web.1\]: line 2\n\n$/,
    )
  })

  test('a dyno that goes is read to its end, and its file deleted', async () => {
    const app = await anApp()
    const web = await aDyno(app)
    web.print('first')
    assert.deepEqual(await read(app), ['app[web.1]: first'])
    web.print('last')
    appendFileSync(web.log, record('no newline', 'P'))
    web.remove()
    await until(
      'the file is gone',
      () => !existsSync(join(data.endedLogs, `${web.id}.log`)),
    )
    assert.deepEqual(await read(app), [
      'app[web.1]: first',
      'app[web.1]: last',
      'app[web.1]: no newline',
    ])
  })

  test('a file that conmon replaced is read to its end before the new one', async () => {
    const app = await anApp()
    const web = await aDyno(app)
    web.print(...numbered(1))
    assert.equal((await read(app)).length, 1)
    web.print(...numbered(5000, 1))
    writeFileSync(`${web.log}.tmp`, record('line 5001'))
    renameSync(`${web.log}.tmp`, web.log)
    web.print('line 5002')
    await until(
      'the new file is read',
      async () => (await read(app)).at(-1) === 'app[web.1]: line 5002',
    )
    assert.deepEqual(
      await read(app),
      numbered(1500, 3503).map((line) => `app[web.1]: ${line}`),
    )
  })

  test('what the real conmon writes is read: many lines, long ones, unfinished ones', async () => {
    const app = await anApp()
    const web = await aDyno(app)
    await runUnderConmon(
      web,
      'seq 5000; head -c 25000 /dev/zero | tr "\\0" x; echo; printf end',
    )
    web.remove()
    await until('all is read', () => !existsSync(join(data.endedLogs, `${web.id}.log`)))
    const last = [10_000, 10_000, 5000].map((count) => 'x'.repeat(count)).concat('end')
    const numbers = Array.from({ length: 1496 }, (_, index) => String(3505 + index))
    assert.deepEqual(
      await read(app),
      [...numbers, ...last].map((line) => `app[web.1]: ${line}`),
    )
  })

  test('unknown and outlived sessions are not found', async () => {
    const app = await anApp()
    assert.equal((await get(randomUUID())).statusCode, 404)
    assert.equal((await get('../etc')).statusCode, 404)
    const session = await aSession(app)
    await pool.query(
      `update log_sessions set created_at = now() - interval '7 minutes' where id = $1`,
      [session],
    )
    assert.equal((await get(session)).statusCode, 404)
  })

  test('so many read the log of an app, and no more until one leaves', async () => {
    const [app, another] = [await anApp(), await anApp()]
    const session = await aSession(app, { tail: true })
    const readers = await Promise.all(Array.from({ length: 50 }, () => get(session)))
    assert.ok(readers.every((it) => it.statusCode === 200))
    const refused = await get(session)
    assert.equal(refused.statusCode, 429)
    assert.match((await refused.toArray()).join(''), /^As many read the log of this app/)
    assert.equal((await get(await aSession(another))).statusCode, 200)
    for (const it of readers) it.on('error', () => {}).destroy()
    await until('there is room', async () => {
      const reader = await get(session)
      reader.on('error', () => {}).destroy()
      return reader.statusCode === 200
    })
  })

  test('an account reads so many logs, and others read on', async () => {
    const apps = await Promise.all(Array.from({ length: 3 }, anApp))
    const { rows } = await pool.query('select owner from apps where id = any($1)', [apps])
    const [account, another] = rows.map((row) => String(row.owner))
    const sessions = await Promise.all(
      apps.map((app) => aSession(app, { tail: true, ...(account && { account }) })),
    )
    const [first = '', second = '', third = ''] = sessions
    const both = [first, second].flatMap((it) => Array.from({ length: 50 }, () => it))
    const readers = await Promise.all(both.map((it) => get(it)))
    assert.ok(readers.every((it) => it.statusCode === 200))
    const refused = await get(third)
    assert.equal(refused.statusCode, 429)
    assert.equal(refused.headers['retry-after'], '30')
    assert.match((await refused.toArray()).join(''), /^Your account reads as many logs/)
    const [, , app = newId()] = apps
    const theirs = await aSession(app, { ...(another && { account: another }) })
    assert.equal((await get(theirs)).statusCode, 200)
    for (const it of readers) it.on('error', () => {}).destroy()
    await until('there is room', async () => {
      const reader = await get(third)
      reader.on('error', () => {}).destroy()
      return reader.statusCode === 200
    })
  })

  test('who hangs up before they are answered takes nobody’s place', async () => {
    const session = await aSession(await anApp(), { tail: true })
    const path = join(data.run('logs'), 'http.sock')
    for (let n = 0; n < 100; n++) {
      const socket = createConnection(path)
      socket.write(`GET /sessions/${session} HTTP/1.1\r\nHost: x\r\n\r\n`)
      await once(socket, 'ready')
      socket.destroy()
    }
    await until('there is room', async () => {
      const reader = await get(session)
      reader.on('error', () => {}).destroy()
      return reader.statusCode === 200
    })
  })

  test('a tail goes on live, and after a lost connection where it was', async () => {
    const app = await anApp()
    const web = await aDyno(app)
    web.print(...numbered(10))
    const session = await aSession(app, { tail: true, lines: 3, dyno: 'web.1' })
    const first = await follow(session)
    await until('the history has come', () => first.lines().length === 3)
    web.print(...numbered(5, 10))
    await writeLogLines(pool, [{ app, source: 'heroku', ps: 'router', message: 'no' }])
    await until('live lines have come', () => first.lines().length === 8)
    assert.ok(!first.text().includes('retry'))
    first.close()

    web.print(...numbered(2000, 15))
    const lastId = first.lastId()
    const second = await follow(session, { 'last-event-id': lastId })
    await until('the rest has come', () => second.lines().length === 2000)
    const all = [...first.lines(), ...second.lines()]
    assert.deepEqual(
      all,
      numbered(2008, 7).map((line) => `app[web.1]: ${line}`),
    )
    second.close()
  })

  test("the routers' records become lines, whatever else comes to the socket", async () => {
    const app = await anApp()
    const path = data.recordSocket
    const stranger = createConnection(path)
    await once(stranger, 'connect')
    stranger.write('<134>Jan 1 00:00:00 what a mess')
    await once(stranger, 'close')

    const haproxy = createConnection(path)
    const line = `1767225600123456 ${app} 0 0 1 9 200 212 12 -- - 1 http - method=GET request_id=an-id dyno=web.1:5000 agent="" host="an-app.localhost" fwd="127.0.0.1" path="/é"`
    const frame = Buffer.from(`${Buffer.byteLength(line)} ${line}`)
    haproxy.write(Buffer.concat([frame, frame.subarray(0, 100)]))
    await until('it is a line', async () => (await read(app)).length === 1)
    haproxy.write(Buffer.concat([frame.subarray(100), frame]))
    await until('all are lines', async () => (await read(app)).length === 3)
    const lines = await read(app, { source: 'heroku', dyno: 'router' })
    assert.deepEqual(new Set(lines).size, 1)
    assert.match(
      lines[0] ?? '',
      /^heroku\[router\]: at=info method=GET path="\/__" host=/,
    )
    assert.match(lines[0] ?? '', / protocol=http1\.1 tls=false$/)
    await until('all are counted', async () => {
      const { rows } = await pool.query<{ requests: string }>(
        `select sum(count) as requests
           from router_measures, unnest(keys, counts) as it (key, count)
          where app = $1 and key < 6`,
        [app],
      )
      return rows[0]?.requests === '3'
    })
    const socketPath = join(data.run('logs'), 'http.sock')
    const [response] = (await once(
      request({ socketPath, path: '/counts' }).end(),
      'response',
    )) as [IncomingMessage]
    const counts = JSON.parse((await response.toArray()).join('')) as unknown
    assert.deepEqual(counts, [
      {
        app,
        keys: [layout.STATUS + 2, layout.SERVICE + 8, layout.CONNECT + 1, layout.QUEUE],
        counts: [3, 3, 3, 3],
        serviceTotal: 24,
        serviceLongest: 8,
      },
    ])

    await putFeature(pool, app, { name: 'http-routing-2-dot-0', enabled: false })
    await until('lines are as the legacy router wrote them', async () => {
      haproxy.write(frame)
      return (await read(app)).at(-1)?.endsWith(' bytes=12 protocol=http') ?? false
    })
    haproxy.end()
  })

  test('killed again and again, it neither loses nor doubles a line', async () => {
    const app = await anApp()
    const dynos = await Promise.all([aDyno(app, 'web'), aDyno(app, 'worker')])
    const session = await aSession(app, { tail: true, lines: 0 })
    let tail = await follow(session)
    await until('the tail has begun', () => tail.lastId() !== undefined)
    let seen = tail.lastId()
    const got: string[] = []
    let number = 0
    const speak = async () => {
      const lines = numbered(20, number)
      for (const dyno of dynos) dyno.print(...lines)
      const said = lines.map((message) => ({ app, source: 'heroku', ps: 'api', message }))
      await writeLogLines(pool, said as LogLine[])
      number += 20
    }
    for (let round = 0; round < 5; round += 1) {
      const known = tail.lines().length
      await speak()
      await until('it takes lines in', () => tail.lines().length > known)
      for (let burst = 0; burst < 20; burst += 1) {
        await speak()
        if (burst === 2 * round) logs.kill('SIGKILL')
      }
      if (logs.signalCode === null) await once(logs, 'exit')
      await start()
      got.push(...tail.lines())
      seen = tail.lastId() ?? seen
      tail = await follow(session, { 'last-event-id': seen })
    }
    for (const dyno of dynos) dyno.remove()
    await until('all has come', () => got.length + tail.lines().length >= 3 * number)
    got.push(...tail.lines())
    tail.close()
    for (const from of ['app[web.1]', 'app[worker.1]', 'heroku[api]']) {
      assert.deepEqual(
        got.filter((line) => line.startsWith(from)),
        numbered(number).map((line) => `${from}: ${line}`),
      )
    }
  })

  test('what a dyno prints beyond its allowance is counted, and others are heard: L12', async () => {
    const [loud, quiet] = await Promise.all([anApp(), anApp()])
    const neighbour = await aDyno(quiet)
    let floods = 0
    // Meanwhile there is an allowance again: where the last of what was printed finds it, that is kept.
    await until('the last line tells of what was dropped', async () => {
      const flooding = await aDyno(loud)
      for (let second = 0; second < 2 * BURST; second++)
        flooding.print(...numbered(LINES))
      neighbour.print(`still heard ${++floods}`)
      const heard = await read(quiet)
      assert.equal(heard.at(-1), `app[web.1]: still heard ${floods}`)
      flooding.remove()
      const ended = join(data.endedLogs, `${flooding.id}.log`)
      await until('all is read', () => !existsSync(ended))
      const [last = ''] = await read(loud, { lines: 1 })
      return L12.test(last)
    })
  })

  test('asked to end, it ends its readers in good order', async () => {
    const response = await get(await aSession(await anApp(), { tail: true }))
    const ended = once(response.resume(), 'end')
    await kill('SIGTERM')
    await ended
    assert.equal(logs.exitCode, 0)
    await start()
  })

  test("a destroyed app's lines go with it", async () => {
    const app = await anApp()
    const web = await aDyno(app)
    web.print('x')
    assert.equal((await read(app)).length, 1)
    assert.ok(existsSync(join(data.logs, app)))
    await pool.query('update apps set deleted_at = now() where id = $1', [app])
    await kill('SIGKILL')
    await start()
    await until('its journal is gone', () => !existsSync(join(data.logs, app)))
  })

  test('killed while a webhook is told, it tells it again under the same id', async () => {
    const told: DeliveryId[] = []
    let answers = false
    const receiver = createServer((incoming, response) => {
      void (async () => {
        const text = Buffer.concat(await incoming.toArray()).toString()
        const { webhook_metadata: about } = JSON.parse(text) as {
          readonly webhook_metadata: { readonly delivery: { readonly id: DeliveryId } }
        }
        told.push(about.delivery.id)
        if (answers) response.end()
      })()
    })
    receiver.listen(0, '127.0.0.1')
    await once(receiver, 'listening')
    const { port } = receiver.address() as AddressInfo
    const app = await anApp()
    await aWebhook(pool, { app, url: `http://127.0.0.1:${port}/` }, secretBox(key))
    const happening = { app, at: new Date(), actor: PLATFORM, data: {} }
    await publish(pool, [{ ...happening, include: 'dyno', action: 'update' }])
    await until('it is told', () => told.length === 1)

    await kill('SIGKILL')
    answers = true
    // As if a minute had passed.
    await pool.query(`update work set leased_until = null where kind = 'webhook'`)
    await start()
    await until('it has been told', async () => {
      const { rows } = await pool.query('select status from webhook_deliveries')
      return (rows as { status: string }[]).every((row) => row.status === 'succeeded')
    })
    assert.deepEqual(told, [told[0], told[0]])
    receiver.close()
  })
})
