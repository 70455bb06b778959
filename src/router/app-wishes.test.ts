/** What an app wants otherwise than others, by config vars and domains, over a real HAProxy. Its cookie has session-affinity.test.ts. */

import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { test } from 'node:test'

import { aBackend, aRouter, get } from '../../test/a-router.ts'
import { aRouterLine } from '../../test/a-router-line.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { SECOND } from '../lib/clock.ts'
import { type Facts, silentLog } from '../lib/log.ts'
import { parseRouterRecord } from '../logs/router-line.ts'
import { appRouting } from '../model/app-routing.ts'
import type { AppId } from '../model/ids.ts'
import { HEROKU_TIMEOUTS } from './router-settings.ts'

const pool = aDatabase()
const IMPATIENT = { ...HEROKU_TIMEOUTS, firstByte: SECOND, idle: 2 * SECOND }

test('a time to the first byte is an app’s own, longer or shorter', async (t) => {
  const router = await aRouter(t, pool, { timeouts: IMPATIENT })
  const slow = () =>
    aBackend(t, (_, response) => {
      setTimeout(() => response.end('at last'), 1.5 * SECOND)
    })
  const apps = new Map<string, AppId>()
  for (const name of ['usual', 'patient', 'hasty']) {
    apps.set(name, await router.app(name))
    await router.dyno(apps.get(name) as AppId, await slow())
  }
  await router.wish(apps.get('patient') as AppId, {
    routing: { responseTimeout: 20 * SECOND },
  })
  await router.wish(apps.get('hasty') as AppId, { routing: { responseTimeout: SECOND } })
  await router.look()
  await router.start()
  const got = await Promise.all(
    ['usual', 'patient', 'hasty'].map((name) => router.get(`${name}.localhost`)),
  )
  assert.deepEqual(
    got.map((it) => it.status),
    [503, 200, 503],
  )
  await until('all are told of', () => router.records.length === 3)
  const said = router.records.map((it) => parseRouterRecord(it)?.message ?? '')
  assert.equal(
    said.filter((it) => it.includes('code=H12 desc="Request timeout"')).length,
    2,
  )
})

test('a dyno that hangs up late is told of, whichever request of a connection it was', async (t) => {
  const timeouts = { ...HEROKU_TIMEOUTS, firstByte: 0.3 * SECOND, idle: 3 * SECOND }
  const router = await aRouter(t, pool, { timeouts })
  const app = await router.app('gives-up-late')
  const dyno = await aBackend(t, ({ url, socket }, response) => {
    if (url === '/first') response.end('first')
    else setTimeout(() => socket.destroy(), SECOND)
  })
  await router.dyno(app, dyno)
  await router.wish(app, { routing: { responseTimeout: 60 * SECOND } })
  await router.look()
  await router.start()
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const headers = { host: 'gives-up-late.localhost' }
  assert.equal((await get(router.port, '/first', headers, agent)).body, 'first')
  assert.equal((await get(router.port, '/second', headers, agent)).status, 503)
  assert.match(await aRouterLine(router, '/second'), /^at=error code=H13 .* status=503 /)
})

test('a dyno may be silent as long as its app has it, though a client may not', async (t) => {
  const timeouts = { ...HEROKU_TIMEOUTS, firstByte: 0.5 * SECOND, idle: SECOND }
  const router = await aRouter(t, pool, { timeouts, byTls: true })
  const late = 2.5 * SECOND
  const app = await router.app('thinks')
  const dyno = await aBackend(t, ({ url = '' }, response) => {
    if (url.startsWith('/gap')) response.write('first, ')
    if (url !== '/gap-for-ever') setTimeout(() => response.end('at last'), late)
  })
  await router.dyno(app, dyno)
  await router.wish(app, { routing: { responseTimeout: 4 * SECOND } })
  await router.look()
  await router.start()

  const byHttp2 = async (path: string, method: string) => {
    const session = connectHttp2(`https://localhost:${router.tlsPort}`, {
      servername: 'thinks.localhost',
      rejectUnauthorized: false,
    })
    t.after(() => session.destroy())
    const names = { ':path': path, ':authority': 'thinks.localhost', ':method': method }
    const stream = session.request(names, { endStream: method === 'GET' })
    if (method === 'POST') stream.end('ab')
    return (await stream.toArray()).join('')
  }
  const byHttp1 = async (path: string, method: string) =>
    (await router.get('thinks.localhost', path, {}, method)).body
  const asked = ['GET', 'POST'].flatMap((method) =>
    [byHttp1, byHttp2].flatMap((by) =>
      [
        ['/late', 'at last'],
        ['/gap', 'first, at last'],
      ].map(async ([path = '', body]) =>
        assert.equal(await by(path, method), body, `${method} ${path} ${by.name}`),
      ),
    ),
  )
  await assert.rejects(byHttp1('/gap-for-ever', 'GET'), { code: 'ECONNRESET' })
  await Promise.all(asked)
  const line = await aRouterLine(router, '/gap-for-ever')
  assert.match(line, /code=H15 /)
  assert.ok(serviceIn(line) >= 4 * SECOND - 10, line)
})

/** By HAProxy's own clock, in milliseconds. */
function serviceIn(line: string): number {
  return Number(/ service=(\d+)ms /.exec(line)?.[1])
}

test('how long a websocket may be silent is an app’s own', async (t) => {
  const router = await aRouter(t, pool, { timeouts: IMPATIENT })
  const [usual, patient] = [await router.app('silent'), await router.app('still')]
  for (const app of [usual, patient]) {
    const at = await aBackend(t, undefined)
    at.server.on('upgrade', (_, socket) => {
      socket.on('error', () => {})
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
      )
    })
    await router.dyno(app, at)
  }
  // Longer than a client may be silent otherwise.
  const its = 3.5 * SECOND
  await router.wish(patient, { routing: { idleTimeout: its } })
  await router.look()
  await router.start()
  const ended: string[] = []
  const sockets = ['silent', 'still'].map((name) => {
    const socket = connect(router.port, '127.0.0.1')
    socket.write(
      `GET /${name} HTTP/1.1\r\nHost: ${name}.localhost\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n`,
    )
    socket.resume().on('close', () => ended.push(name))
    return socket
  })
  await until('both are over', () => ended.length === 2)
  assert.deepEqual(ended, ['silent', 'still'])
  const usually = serviceIn(await aRouterLine(router, '/silent'))
  assert.ok(usually < its, `it lasted ${usually} ms`)
  const patiently = serviceIn(await aRouterLine(router, '/still'))
  const isInTime = patiently >= its - 10 && patiently < its + SECOND
  assert.ok(isInTime, `it lasted ${patiently} ms`)
  for (const socket of sockets) socket.destroy()
})

test('an app’s own pages lie over ours, wherever an error comes from', async (t) => {
  const router = await aRouter(t, pool, { timeouts: IMPATIENT })
  const routing = {
    errorPage: '//pages/error?a&b',
    maintenancePage: 'https://pages/maintenance',
  }
  const mute = await aBackend(t, () => {})
  const rude = await aBackend(t, (request) => request.socket.destroy())
  const broken = await aBackend(t, (_, response) => {
    response.writeHead(502).end('my own')
  })
  const apps = {
    crashed: await router.app('crashed'),
    mute: await router.app('mute'),
    rude: await router.app('rude'),
    broken: await router.app('broken'),
    closed: await router.app('closed'),
    plain: await router.app('plain'),
  }
  await router.dyno(apps.crashed, await aBackend(t, () => {}), 'crashed')
  await router.dyno(apps.mute, mute)
  await router.dyno(apps.rude, rude)
  await router.dyno(apps.broken, broken)
  await router.dyno(apps.plain, await aBackend(t, (request) => request.socket.destroy()))
  for (const [name, app] of Object.entries(apps)) {
    if (name !== 'plain') await router.wish(app, { routing })
  }
  await pool.query('update apps set maintenance = true where id = $1', [apps.closed])
  await router.look()
  await router.start()

  for (const name of ['crashed', 'mute', 'rude']) {
    const { status, body } = await router.get(`${name}.localhost`)
    assert.equal(status, 503, name)
    assert.ok(body.includes('src="//pages/error?a&amp;b"'), `${name}: ${body}`)
    assert.ok(body.includes('height: 100%;'), name)
  }
  const closed = await router.get('closed.localhost')
  assert.equal(closed.status, 503)
  assert.ok(closed.body.includes('src="https://pages/maintenance"'))
  const plain = await router.get('plain.localhost')
  assert.equal(plain.status, 503)
  assert.ok(plain.body.includes('src=""'))
  assert.equal(plain.headers['mayfly-gave-up'], undefined)
  const own = await router.get('broken.localhost')
  assert.deepEqual([own.status, own.body], [502, 'my own'])

  // While it runs, and whatever HAProxy's command line would make of it.
  for (const [errorPage, shown = errorPage] of [
    ['https://new/'],
    ['https://new/?a&b', 'https://new/?a&amp;b'],
    ['https://new/;quit'],
    ['https://new/?c\\'],
  ] as const) {
    await router.wish(apps.crashed, { routing: { errorPage } })
    await router.wish(apps.mute, {
      routing: { errorPage: `https://after/${errorPage.length}` },
    })
    await router.look()
    const crashed = await router.get('crashed.localhost')
    assert.ok(crashed.body.includes(`src="${shown}"`), errorPage)
    const { body } = await router.get('mute.localhost')
    assert.ok(body.includes(`src="https://after/${errorPage.length}"`), errorPage)
  }
  // A key of the map is no host.
  const odd = await router.get(`error:${apps.crashed}`)
  assert.equal(odd.status, 404)
})

test('a page whose address is too long for HAProxy is nobody else`s trouble', async (t) => {
  const told: unknown[] = []
  const log = { ...silentLog, info: (_: string, facts?: Facts) => told.push(facts) }
  const router = await aRouter(t, pool, { log })
  const long = await router.app('long', { web: 0 })
  const longest = await router.app('longest', { web: 0 })
  await router.look()
  await router.start()
  // As one was kept before there was a limit; and the longest that an app may have.
  const tooLong = { errorPage: `https://a/${'%E2%82%AC'.repeat(2000)}` }
  await router.wish(long, { routing: tooLong })
  const errorPage = `https://a/?${'&'.repeat(1989)}`
  assert.deepEqual(appRouting({ ERROR_PAGE_URL: errorPage }), { errorPage })
  await router.wish(longest, { routing: { errorPage } })
  const later = await router.app('later')
  await router.dyno(later, await aBackend(t, (_, response) => response.end('ok')))

  const areServed = async () => {
    assert.equal((await router.get('later.localhost')).body, 'ok')
    const { status, body } = await router.get('long.localhost')
    assert.deepEqual([status, body.includes('src=""')], [503, true])
    const other = await router.get('longest.localhost')
    assert.ok(other.body.includes(`src="${errorPage.replaceAll('&', '&amp;')}"`))
  }
  await router.look()
  await areServed()
  await router.look()
  assert.deepEqual(told, [{ key: `error:${long}` }])
  await router.kill()
  await router.start()
  await areServed()
})

test('custom domains lead to their app, the nearest name first, as soon as they are there', async (t) => {
  const router = await aRouter(t, pool)
  const named = new Map<string, AppId>()
  for (const name of ['exact', 'wild']) {
    const app = await router.app(name)
    named.set(name, app)
    await router.dyno(app, await aBackend(t, (_, response) => response.end(name)))
  }
  await router.look()
  await router.start()
  const add = (app: string, hostname: string) =>
    pool.query(
      'insert into domains (id, app, hostname) values (gen_random_uuid(), $1, $2)',
      [named.get(app), hostname],
    )
  await add('wild', '*.example.com')
  await add('exact', 'www.example.com')
  await router.look()
  const whose = async (host: string) => {
    const { status, body } = await router.get(host)
    return status === 200 ? body : status
  }
  assert.equal(await whose('www.example.com'), 'exact')
  assert.equal(await whose('WWW.EXAMPLE.COM:80'), 'exact')
  // As DNS has it in full.
  assert.equal(await whose('www.example.com.'), 'exact')
  assert.equal(await whose('WWW.EXAMPLE.COM.:80'), 'exact')
  assert.equal(await whose('exact.localhost.'), 'exact')
  assert.equal(await whose('other.example.com.'), 'wild')
  for (const none of ['www.example.com..', '.', 'a.b.example.com.', 'example.com.'])
    assert.equal(await whose(none), 404, none)
  assert.equal(await whose('other.example.com'), 'wild')
  assert.equal(await whose('a.b.example.com'), 404)
  assert.equal(await whose('example.com'), 404)
  assert.equal(await whose('*.example.com'), 'wild')
  await pool.query(`delete from domains where hostname = 'www.example.com'`)
  await router.look()
  assert.equal(await whose('www.example.com'), 'wild')
})
