/** What clients that come by TLS are served, by HTTP/1.1 and HTTP/2. */

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { connect as connectByHttp2 } from 'node:http2'
import { Agent } from 'node:https'
import type { Socket } from 'node:net'
import { test } from 'node:test'

import { aCertificate } from '../../test/a-certificate.ts'
import { aBackend, aRouter } from '../../test/a-router.ts'
import { isHeld, workerOf } from '../../test/asked-of-haproxy.ts'
import { authorityOf, echoing, getByTls, shownTo } from '../../test/by-tls.ts'
import { freePort } from '../../test/free-ports.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { parseRouterRecord } from '../logs/router-line.ts'

const pool = aDatabase()

test('a default domain is served with a certificate that the installation vouches for', async (t) => {
  const router = await aRouter(t, pool, { byTls: true })
  await echoing(router, t, 'plain')
  await router.look()
  await router.start()
  await router.look()
  const trusted = authorityOf(router)

  const { body, headers } = await getByTls(router, 'plain.localhost', { trusted })
  const got = JSON.parse(body) as Record<string, string>
  assert.equal(got['x-forwarded-proto'], 'https')
  assert.equal(got['x-forwarded-port'], String(router.tlsPort))
  assert.equal(headers['server'], 'Heroku')
  const byHttp = JSON.parse((await router.get('plain.localhost')).body) as typeof got
  assert.equal(byHttp['x-forwarded-proto'], 'http')
  assert.equal(byHttp['x-forwarded-port'], String(router.port))

  // What is not below its domain it may not vouch for, whoever asks.
  await assert.rejects(getByTls(router, 'bank.example.com', { trusted }))
  assert.equal((await shownTo(router, undefined)).subject.CN, 'Mayfly apps')
})

test('a custom domain is served with its own certificate, by HTTP/2, and told so in the log', async (t) => {
  const router = await aRouter(t, pool, { byTls: true })
  const app = await echoing(router, t, 'own')
  const its = await aCertificate(['www.example.com'])
  await router.domain(app, 'www.example.com', its)
  await router.look()
  await router.start()
  await router.look()

  const session = connectByHttp2(`https://www.example.com:${router.tlsPort}`, {
    ca: its.certificate,
    host: '127.0.0.1',
    servername: 'www.example.com',
  })
  t.after(() => session.destroy())
  const stream = session.request({ ':path': '/two?a=b', 'x-request-id': 'a'.repeat(20) })
  let body = ''
  stream.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
  await new Promise((resolve, reject) => {
    stream.on('end', resolve)
    stream.on('error', reject)
    session.on('error', reject)
  })
  const got = JSON.parse(body) as Record<string, string>
  assert.equal(got['version'], '1.1')
  assert.equal(got['via'], '2.0 heroku-router')
  assert.equal(got['host'], `www.example.com:${router.tlsPort}`)
  // The limit is the path's, whatever stands before it.
  const longest = session.request({ ':path': `/${'a'.repeat(8191)}` })
  const [answer] = (await once(longest, 'response')) as [Record<string, unknown>]
  assert.equal(answer[':status'], 200)

  const find = () =>
    router.records
      .map((it) => parseRouterRecord(it))
      .find((it) => it?.message.includes('"/two?a=b"'))
  await until('there is a line', () => find() !== undefined)
  assert.match(
    find()?.message ?? '',
    /at=info .* dyno=web\.1 .* status=200 .* protocol=http2\.0 tls=true tls_version=tls1\.3$/,
  )
})

test('a websocket goes through by HTTP/2, as browsers ask for it', async (t) => {
  const router = await aRouter(t, pool, { byTls: true })
  const backend = await aBackend(t, () => {})
  const seen: IncomingHttpHeaders[] = []
  backend.server.on('upgrade', ({ headers }: IncomingMessage, socket: Socket) => {
    seen.push(headers)
    const key = `${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
    const accept = createHash('sha1').update(key).digest('base64')
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    )
    socket.pipe(socket)
  })
  await router.dyno(await router.app('ws-by-two'), backend)
  await router.look()
  await router.start()
  await router.look()
  const session = connectByHttp2(`https://ws-by-two.localhost:${router.tlsPort}`, {
    ca: authorityOf(router),
    host: '127.0.0.1',
    servername: 'ws-by-two.localhost',
  })
  await once(session, 'remoteSettings')
  assert.equal(session.remoteSettings.enableConnectProtocol, true)
  // RFC 8441, 4.
  const socket = session.request({
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':path': '/chat',
    'sec-websocket-version': '13',
  })
  const [answer] = (await once(socket, 'response')) as [Record<string, unknown>]
  assert.equal(answer[':status'], 200)
  socket.write('echo!')
  let heard = ''
  socket.setEncoding('utf8').on('data', (text: string) => (heard += text))
  await until('it echoes', () => heard === 'echo!')
  assert.equal(seen[0]?.['connection'], 'upgrade')
  // It is over: that HAProxy resets what is left of the connection is no fault.
  for (const it of [session, socket]) it.on('error', () => {})
  session.destroy()
})

test('TLS begins at 1.2', async (t) => {
  const router = await aRouter(t, pool, { byTls: true })
  await router.look()
  await router.start()
  await assert.rejects(shownTo(router, 'a.localhost', 'TLSv1.1'), /alert|version/i)
  assert.ok(await shownTo(router, 'a.localhost', 'TLSv1.2'))
  assert.ok(await shownTo(router, 'a.localhost', 'TLSv1.3'))
})

test('an app may send clients of plain HTTP to HTTPS', async (t) => {
  const router = await aRouter(t, pool, { byTls: true })
  const app = await echoing(router, t, 'secure')
  await echoing(router, t, 'other')
  await router.wish(app, { httpsOnly: true })
  await router.look()
  await router.start()
  await router.look()

  const { status, headers } = await router.get('secure.localhost:8080', '/a%20b?c=d&e')
  assert.equal(status, 301)
  const place = `https://secure.localhost:${router.tlsPort}/a%20b?c=d&e`
  assert.equal(headers['location'], place)
  const posted = await router.get('secure.localhost', '/', {}, 'POST')
  assert.equal(posted.status, 308)
  assert.equal((await router.get('secure.localhost', '/', {}, 'HEAD')).status, 301)
  const trusted = authorityOf(router)
  assert.equal((await getByTls(router, 'secure.localhost', { trusted })).status, 200)
  assert.equal((await router.get('other.localhost')).status, 200)

  // Nobody waits for a dyno to be redirected.
  const asleep = await router.app('secure-asleep')
  await router.wish(asleep, { httpsOnly: true })
  await router.look()
  assert.equal((await router.get('secure-asleep.localhost')).status, 301)
  const kept = await router.get('secure-asleep.localhost', '/', {}, 'PUT')
  assert.equal(kept.status, 308)
  const held = getByTls(router, 'secure-asleep.localhost', { trusted })
  await until('it is held', () => isHeld(router, asleep))
  await router.dyno(asleep, await aBackend(t, (_, it) => it.end('awake')))
  await router.look()
  assert.equal((await held).body, 'awake')
  await pool.query('update apps set maintenance = true where id = $1', [asleep])
  await router.look()
  assert.equal((await router.get('secure-asleep.localhost')).status, 503)

  await router.wish(app, { httpsOnly: false, sticky: true })
  await router.look()
  const plain = await router.get('secure.localhost')
  assert.equal(plain.status, 200)
  assert.match(String(plain.headers['set-cookie']), /heroku-session-affinity/)
})

test('who asks for an app of another region is led there as they came', async (t) => {
  const router = await aRouter(t, pool, { byTls: true })
  const other = await aRouter(t, pool, { byTls: true })
  await other.app('far-off')
  await echoing(router, t, 'near')
  await router.look()
  await router.start()
  await router.look()
  const page = (await router.get('far-off.localhost')).body
  assert.match(page, new RegExp(`href="http://far-off\\.localhost:${other.port}/"`))
  const trusted = authorityOf(router)
  const got = await getByTls(router, 'far-off.localhost', { trusted, anyName: true })
  assert.equal(got.status, 421)
  assert.match(
    got.body,
    new RegExp(`href="https://far-off\\.localhost:${other.tlsPort}/"`),
  )
})

test('after a reload connections of before go on, by TLS as they came', async (t) => {
  const router = await aRouter(t, pool, { byTls: true })
  await echoing(router, t, 'stays')
  await router.look()
  await router.start()
  await router.look()
  const trusted = authorityOf(router)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  assert.equal(
    (await getByTls(router, 'stays.localhost', { trusted, agent })).status,
    200,
  )

  // Another domain is another configuration.
  await pool.query('update regions set https_port = $2 where name = $1', [
    router.region.name,
    await freePort(),
  ])
  const before = await workerOf(router)
  await router.look()
  assert.notEqual(await workerOf(router), before)
  const handedOn = await getByTls(router, 'stays.localhost', {
    trusted,
    agent,
    path: '/on',
  })
  assert.equal(handedOn.status, 200)
  const got = JSON.parse(handedOn.body) as Record<string, string>
  assert.equal(got['x-forwarded-proto'], 'https')
  assert.equal(got['x-forwarded-for'], '127.0.0.1')
})
