/**
 * A dyno that hangs up without an answer, whichever request of a connection it is: HAProxy by itself
 * would tell of a connection's first alone.
 */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectByHttp2 } from 'node:http2'
import type { Socket } from 'node:net'
import { test } from 'node:test'

import { aCertificate } from '../../test/a-certificate.ts'
import { aBackend, aRouter } from '../../test/a-router.ts'
import { aRouterLine } from '../../test/a-router-line.ts'
import { anExchanger, type DynoScript } from '../../test/an-exchange.ts'
import { aDatabase } from '../../test/postgres.ts'
import {
  APP,
  ask,
  aPage,
  CLOSE,
  FAILED,
  HOST,
  inOrder,
  OK,
  TWO,
} from '../../test/vegur.ts'
import { pause, SECOND } from '../lib/clock.ts'
import { APPLICATION_ERROR, PAGES } from './pages.ts'

const pool = aDatabase()

const quick = {
  connect: SECOND,
  firstByte: 0.4 * SECOND,
  idle: 2 * SECOND,
  boot: 2 * SECOND,
}

const H13 =
  /^at=error code=H13 desc="Connection closed without response" method=(GET|POST) .* dyno=web\.1 connect=\d+ms service=\d+ms status=503 bytes=0 protocol=http1\.1 tls=false$/
const H12 =
  /^at=error code=H12 desc="Request timeout" method=(GET|POST) .* dyno=web\.1 connect=\d+ms service=\d+ms status=503 bytes=0 protocol=http1\.1 tls=false$/
const H17 =
  /^at=error code=H17 desc="Poorly formatted HTTP response" method=GET .* dyno=web\.1 connect=\d+ms service=\d+ms status=503 bytes=0 protocol=http1\.1 tls=false$/

/** What is sent, what the dyno does then, the line. */
const ways: readonly (readonly [string, string, DynoScript, RegExp])[] = [
  ['closes', 'GET', (it) => it.end(), H13],
  ['resets', 'GET', (it) => it.resetAndDestroy(), H13],
  ['closes in the middle of a head', 'GET', (it) => it.end(`${OK}Foo`), H13],
  ['closes on a body', 'POST', (it) => it.end(), H13],
  ['resets on a body', 'POST', (it) => it.resetAndDestroy(), H13],
  ['says nothing', 'GET', () => {}, H12],
  ['says nothing to a body', 'POST', () => {}, H12],
  ['stops in the middle of a head', 'GET', (it) => it.write(`${OK}Foo`), H12],
  ['speaks no HTTP, and closes', 'GET', (it) => it.end('hello\r\n\r\n'), H17],
]

const goOnAndClose: DynoScript = (it) => it.end('HTTP/1.1 100 Continue\r\n\r\n')

const request = (method: string, path: string, headers: string) => {
  const body = method === 'POST' ? 'ab' : ''
  const length = body === '' ? '' : 'Content-Length: 2\r\n'
  return `${method} ${path} HTTP/1.1\r\n${HOST}${headers}${length}\r\n${body}`
}

const pageOf = (line: RegExp) =>
  aPage(503, (line === H12 ? PAGES['H12'] : undefined)?.html ?? APPLICATION_ERROR.html)

test('a dyno that gives no answer has its line, and the client a page', async (t) => {
  const router = await aRouter(t, pool, { timeouts: quick })
  const exchanger = await anExchanger(t, router, APP)
  for (const [index, [what, method, dyno, line]] of ways.entries()) {
    await t.test(`it ${what}, on a connection's first request`, async () => {
      const path = `/first-${index}`
      const { got } = await exchanger.exchange(request(method, path, CLOSE), dyno)
      assert.equal(inOrder(got), pageOf(line))
      assert.match(await aRouterLine(router, path), line)
    })
    await t.test(`it ${what}, on the second`, async () => {
      const path = `/second-${index}`
      let nth = 0
      const script: DynoScript = (it, ...client) => {
        nth += 1
        if (nth === 1) it.write(`${OK}${TWO}`)
        else dyno(it, ...client)
      }
      const next = (client: Socket) =>
        client.once('data', () => client.write(request(method, path, CLOSE)))
      const { got } = await exchanger.exchange(ask(''), script, undefined, next)
      const [first, second = ''] = got.split('\r\n\r\nok')
      assert.equal(first, `${OK}content-length: 2`)
      assert.equal(inOrder(second), pageOf(line))
      assert.match(await aRouterLine(router, path), line)
    })
  }
  await t.test(
    'after a 100 of its own: HAProxy tells of the first request alone',
    async () => {
      const first = await exchanger.exchange(
        request('GET', '/first', CLOSE),
        goOnAndClose,
      )
      assert.equal(inOrder(first.got), `HTTP/1.1 100 Continue\r\n\r\n${FAILED}`)
      assert.match(await aRouterLine(router, '/first'), H13)
      let nth = 0
      const script: DynoScript = (it, ...client) => {
        nth += 1
        if (nth === 1) it.write(`${OK}${TWO}`)
        else goOnAndClose(it, ...client)
      }
      const next = (client: Socket) =>
        client.once('data', () => client.write(request('GET', '/second', CLOSE)))
      const second = await exchanger.exchange(ask(''), script, undefined, next)
      assert.equal(
        second.got,
        `${OK}content-length: 2\r\n\r\nokHTTP/1.1 100 Continue\r\n\r\n`,
      )
      assert.ok(second.closed)
    },
  )
})

/** HAProxy's clock goes by whole milliseconds, and is read the sooner the more there is to do. */
test('a dyno that says nothing is told of in time on a busy router, too', async (t) => {
  const timeouts = { ...quick, firstByte: SECOND, idle: 20 * SECOND }
  const router = await aRouter(t, pool, { timeouts })
  await router.dyno(await router.app('silent'), await aBackend(t, () => {}))
  const busy = await router.app('busy')
  await router.dyno(busy, await aBackend(t, (_, it) => it.end('here')))
  await router.look()
  await router.start()
  await router.look()
  const busyUntil = new AbortController()
  const clients = Array.from({ length: 3 }, async () => {
    while (!busyUntil.signal.aborted)
      assert.equal((await router.get('busy.localhost')).status, 200)
  })
  const asked = Array.from({ length: 60 }, async (_, nth) => {
    await pause(7 * nth)
    const { body } = await router.get('silent.localhost', `/${nth}`)
    return /\(H\d+\)/.exec(body)?.[0]
  })
  const codes = await Promise.all(asked)
  busyUntil.abort()
  await Promise.all(clients)
  assert.deepEqual(new Set(codes), new Set(['(H12)']))
})

test('nor is it otherwise in HTTP/2', async (t) => {
  const router = await aRouter(t, pool, { byTls: true })
  const app = await router.app('rude-by-two')
  await router.dyno(app, await aBackend(t, (it) => it.socket.destroy()))
  await router.domain(app, 'rude.example.com', await aCertificate(['rude.example.com']))
  await router.look()
  await router.start()
  await router.look()
  const client = connectByHttp2(`https://127.0.0.1:${router.tlsPort}`, {
    servername: 'rude.example.com',
    rejectUnauthorized: false,
  })
  t.after(() => client.close())
  for (const method of ['GET', 'POST']) {
    const asked = client.request({
      ':method': method,
      ':authority': 'rude.example.com',
      ':path': `/${method}`,
    })
    asked.setEncoding('utf8').end(method === 'POST' ? 'ab' : undefined)
    const [headers] = (await once(asked, 'response')) as [{ ':status': number }]
    assert.equal(headers[':status'], 503)
    let body = ''
    for await (const chunk of asked) body += String(chunk)
    assert.match(body, /<h1>Application error<\/h1>[^]*<\/html>\n$/)
    assert.match(
      await aRouterLine(router, `/${method}`),
      /^at=error code=H13 desc="Connection closed without response" .* status=503 .* protocol=http2\.0 tls=true tls_version=tls1\.3$/,
    )
  }
})
