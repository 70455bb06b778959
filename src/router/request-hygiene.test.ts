/**
 * What reaches a dyno of what a client sends, byte for byte: nothing that a dyno might read
 * differently than HAProxy did, so that no request hides in another.
 */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test, type TestContext } from 'node:test'

import { aRouter, type ARouter } from '../../test/a-router.ts'
import { HAPROXY_3 } from '../../test/haproxy-of-here.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { whatAClientGets } from '../../test/what-a-client-gets.ts'
import { parseRouterRecord } from '../logs/router-line.ts'

const pool = aDatabase()

const HOST = 'Host: strict.localhost\r\n'
const CLOSE = 'Connection: close\r\n'
const CHUNKED = 'Transfer-Encoding: chunked\r\n'
const CHUNKS = '2\r\nab\r\n0\r\n\r\n'

/** A request with the usual headers. */
const post = (headers: string, body: string) =>
  `POST /p HTTP/1.1\r\n${HOST}${CLOSE}${headers}\r\n${body}`
const get = (headers = '', line = 'GET /p HTTP/1.1') =>
  `${line}\r\n${HOST}${CLOSE}${headers}\r\n`

/** Name, the request, the status of its refusal. The dyno hears nothing of it. */
const refused: [string, string, number][] = [
  ['no Host', `GET / HTTP/1.1\r\n${CLOSE}\r\n`, 400],
  ['an empty Host', `GET / HTTP/1.1\r\nHost:\r\n${CLOSE}\r\n`, 400],
  ['HTTP/1.0 without Host', 'GET / HTTP/1.0\r\n\r\n', 400],
  ['two Hosts', get('Host: other.localhost\r\n'), 400],
  [
    'a Host of two names',
    `GET / HTTP/1.1\r\nHost: other.localhost,strict.localhost\r\n${CLOSE}\r\n`,
    HAPROXY_3 ? 400 : 404,
  ],
  ['a line for another Host', get('', 'GET http://other.localhost/ HTTP/1.1'), 400],
  ['HTTP/0.9', 'GET /\r\n\r\n', 400],
  ['two lengths', post('Content-Length: 2\r\nContent-Length: 3\r\n', 'abc'), 400],
  ['a signed length', post('Content-Length: +2\r\n', 'ab'), 400],
  ['a negative length', post('Content-Length: -2\r\n', 'ab'), 400],
  ['a length in hex', post('Content-Length: 0x2\r\n', 'ab'), 400],
  ['an empty length', post('Content-Length: \r\n', 'ab'), 400],
  ['an encoding like chunked', post('Transfer-Encoding: xchunked\r\n', CHUNKS), 400],
  ['an encoding in quotes', post('Transfer-Encoding: "chunked"\r\n', CHUNKS), 400],
  [
    'an encoding after a control character',
    post('Transfer-Encoding: \x0bchunked\r\n', CHUNKS),
    400,
  ],
  ['a space before the colon', post('Transfer-Encoding : chunked\r\n', CHUNKS), 400],
  ['chunked twice', post(`${CHUNKED}${CHUNKED}`, CHUNKS), 400],
  ['chunked not last', post('Transfer-Encoding: chunked, identity\r\n', CHUNKS), 400],
  [
    'an encoding we do not know',
    post('Transfer-Encoding: gzip, chunked\r\n', CHUNKS),
    422,
  ],
  ['chunks in HTTP/1.0', `POST / HTTP/1.0\r\n${HOST}${CHUNKED}\r\n${CHUNKS}`, 400],
  ['a chunk without a size', post(CHUNKED, 'zz\r\nab\r\n0\r\n\r\n'), 400],
  ['a chunk of negative size', post(CHUNKED, '-2\r\nab\r\n0\r\n\r\n'), 400],
  ['a chunk of 2^64 and two', post(CHUNKED, `10000000000000002\r\nab\r\n0\r\n\r\n`), 400],
  ['a lone carriage return', get('X: a\rY: b\r\n'), 400],
  ['a header without a name', get(': b\r\n'), 400],
  ['a header without a colon', get('hello\r\n'), 400],
  ['a name that is no token', get('a(b: c\r\n'), 400],
  ['a method that is no token', get('', 'G@T / HTTP/1.1'), 400],
  ['a tab in the path', get('', 'GET /a\tb HTTP/1.1'), 400],
  ['a byte that is not ASCII in the path', get('', 'GET /\xff HTTP/1.1'), 400],
  ['a fragment in the path', get('', 'GET /a#b HTTP/1.1'), 400],
  ['a path that is none', get('', 'GET foo HTTP/1.1'), 400],
  ['CONNECT', get('', 'CONNECT strict.localhost:80 HTTP/1.1'), 405],
  ['an upgrade to nothing', `GET / HTTP/1.1\r\n${HOST}Connection: upgrade\r\n\r\n`, 400],
  ['another expectation', post('Expect: tea\r\nContent-Length: 2\r\n', 'ab'), 417],
  ['more than a thousand headers', get('a: b\r\n'.repeat(1001)), 400],
  ['headers of more than 15 KiB', get(`X: ${'a'.repeat(4000)}\r\n`.repeat(4)), 400],
]

/** Name, the request, what the dyno gets, without what the router adds. */
const passed: [string, string, string][] = [
  [
    'chunked wins over a length',
    post(`Content-Length: 100\r\n${CHUNKED}`, CHUNKS),
    `POST /p HTTP/1.1\r\nhost: strict.localhost\r\ntransfer-encoding: chunked\r\n\r\n${CHUNKS}`,
  ],
  [
    'equal lengths become one',
    post('Content-Length: 2\r\nContent-Length: 2\r\n', 'ab'),
    'POST /p HTTP/1.1\r\nhost: strict.localhost\r\ncontent-length: 2\r\n\r\nab',
  ],
  [
    'a list of equal lengths, too',
    post('Content-Length: 2, 2\r\n', 'ab'),
    'POST /p HTTP/1.1\r\nhost: strict.localhost\r\ncontent-length: 2\r\n\r\nab',
  ],
  [
    'equal Hosts become one',
    get(HOST),
    'GET /p HTTP/1.1\r\nhost: strict.localhost\r\n\r\n',
  ],
  [
    'a header behind a lone newline is a header',
    post('Content-Length: 4\r\nX: a\nTransfer-Encoding: chunked\r\n', CHUNKS),
    `POST /p HTTP/1.1\r\nhost: strict.localhost\r\nx: a\r\ntransfer-encoding: chunked\r\n\r\n${CHUNKS}`,
  ],
  [
    'a folded header is unfolded',
    post('Transfer-Encoding:\r\n chunked\r\n', CHUNKS),
    `POST /p HTTP/1.1\r\nhost: strict.localhost\r\ntransfer-encoding: chunked\r\n\r\n${CHUNKS}`,
  ],
  [
    'chunks are written anew, without extensions',
    post(CHUNKED, '2;a=b\r\nab\r\n0\r\n\r\n'),
    `POST /p HTTP/1.1\r\nhost: strict.localhost\r\ntransfer-encoding: chunked\r\n\r\n${CHUNKS}`,
  ],
  [
    'trailers are relayed',
    post(`${CHUNKED}Trailer: X-T\r\n`, '2\r\nab\r\n0\r\nX-T: yes\r\n\r\n'),
    'POST /p HTTP/1.1\r\nhost: strict.localhost\r\ntransfer-encoding: chunked\r\ntrailer: X-T\r\n\r\n2\r\nab\r\n0\r\nx-t: yes\r\n\r\n',
  ],
  [
    'hop-by-hop headers stay here',
    get(
      'Keep-Alive: 5\r\nTE: trailers\r\nProxy-Authorization: secret\r\nUpgrade: foo\r\n',
    ),
    'GET /p HTTP/1.1\r\nhost: strict.localhost\r\nupgrade: foo\r\n\r\n',
  ],
  [
    'nor does one that is said to be: a proxy in the dyno would take it out',
    `GET /p HTTP/1.1\r\n${HOST}Connection: upgrade, close, X-A, X-Forwarded-For\r\nUpgrade: foo\r\nX-A: b\r\n\r\n`,
    'GET /p HTTP/1.1\r\nhost: strict.localhost\r\nupgrade: foo\r\nx-a: b\r\nconnection: upgrade\r\n\r\n',
  ],
  [
    'an address of a scheme that is not ours is a path',
    get('', 'GET ftp://strict.localhost/p HTTP/1.1'),
    'GET /p HTTP/1.1\r\nhost: strict.localhost\r\n\r\n',
  ],
  [
    'nearly a thousand headers',
    get('a: b\r\n'.repeat(900)),
    `GET /p HTTP/1.1\r\nhost: strict.localhost\r\n${'a: b\r\n'.repeat(900)}\r\n`,
  ],
  [
    'OPTIONS *',
    get('', 'OPTIONS * HTTP/1.1'),
    'OPTIONS * HTTP/1.1\r\nhost: strict.localhost\r\n\r\n',
  ],
]

const ADDED = /^(x-request-id|x-request-start|x-forwarded-(for|proto|port)|via): .*\r\n/gm

let recorders = 0

/** A dyno that answers each request, and notes what it got on each connection. */
async function aRecorder(t: TestContext, router: ARouter, app = 'strict') {
  const heard: string[] = []
  const server = createServer((socket) => {
    const at = heard.push('') - 1
    socket.on('error', () => {})
    socket.setEncoding('latin1').on('data', (text: string) => {
      heard[at] += text
      const whole = /content-length: (\d+)\r\n/.exec(heard[at] ?? '')
      const body = heard[at]?.split('\r\n\r\n').slice(1).join('\r\n\r\n')
      if (body === undefined || body.length < Number(whole?.[1] ?? 0)) return
      if (/transfer-encoding/.test(heard[at] ?? '') && !/^0\r\n/m.test(body)) return
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok')
    })
  })
  server.listen(0, `127.5.${1 + (process.pid % 200)}.${++recorders}`)
  await once(server, 'listening')
  t.after(() => server.close())
  const { address, port } = server.address() as AddressInfo
  await router.dyno(await router.app(app), { address, port })
  await router.look()
  await router.start()
  // The connection by which HAProxy tried the port says nothing.
  return () => heard.splice(0).filter((it) => it !== '')
}

test('requests reach a dyno whole and plain, or not at all', async (t) => {
  const router = await aRouter(t, pool)
  const heard = await aRecorder(t, router)
  for (const [what, request, status] of refused) {
    const answer = await whatAClientGets(router, request)
    assert.equal(Number(/^HTTP\/1\.[01] (\d+)/.exec(answer)?.[1]), status, what)
    assert.deepEqual(heard(), [], what)
  }
  for (const [what, request, expected] of passed) {
    assert.match(await whatAClientGets(router, request), /^HTTP\/1\.1 200 /, what)
    assert.deepEqual(
      heard().map((it) => it.replaceAll(ADDED, '')),
      [expected],
      what,
    )
  }
  await until('H26 has its line', () =>
    router.records.some((it) =>
      parseRouterRecord(it)?.message.startsWith(
        'at=error code=H26 desc="Request Error" cause="unsupported expect header value" method=POST',
      ),
    ),
  )
})

test('nobody speaks for the router with an underscore, in a request that is plain otherwise', async (t) => {
  const router = await aRouter(t, pool)
  const heard = await aRecorder(t, router, 'folded')
  const asked = async (header: string) => {
    const request = `GET /p HTTP/1.1\r\nHost: folded.localhost\r\n${header}: 1\r\n\r\n`
    await whatAClientGets(router, request, (it) => it.once('data', () => it.end()))
    return heard().map((it) => it.replaceAll(ADDED, ''))
  }
  const plain = 'GET /p HTTP/1.1\r\nhost: folded.localhost\r\n'
  for (const name of [
    'X_Forwarded_For',
    'X-Forwarded_For',
    'X_Forwarded-For',
    'x_forwarded_proto',
    'X_FORWARDED_PORT',
    'X_Request_Id',
    'X-Request_Start',
  ])
    assert.deepEqual(await asked(name), [`${plain}\r\n`], name)
  for (const name of ['x_forwarded_host', 'x_request', 'ax_request_id', 'x_request_ids'])
    assert.deepEqual(await asked(name), [`${plain}${name}: 1\r\n\r\n`], name)
})

test('several lists of addresses stay, and ours is the last', async (t) => {
  const router = await aRouter(t, pool)
  const heard = await aRecorder(t, router, 'lists')
  const send = (...lists: string[]) => {
    const lines = lists.map((it) => `X-Forwarded-For: ${it}\r\n`).join('')
    return whatAClientGets(
      router,
      `GET / HTTP/1.1\r\nHost: lists.localhost\r\n${CLOSE}${lines}\r\n`,
    )
  }
  await send('1.1.1.1', '2.2.2.2')
  const chains = () =>
    heard()
      .join('')
      .match(/(?<=^x-forwarded-for: ).*(?=\r)/gm)
  assert.deepEqual(chains(), ['1.1.1.1', '2.2.2.2', '127.0.0.1'])
  await send('1.1.1.1')
  assert.deepEqual(chains(), ['1.1.1.1, 127.0.0.1'])
})

test('a request as long as may be has its line', async (t) => {
  const router = await aRouter(t, pool)
  await aRecorder(t, router, 'long')
  const path = `/${'a'.repeat(8191)}`
  const chain = `X-Forwarded-For: ${'1.2.3.4, '.repeat(500)}1.2.3.4\r\n`
  const request = `GET ${path} HTTP/1.1\r\nHost: long.localhost\r\n${CLOSE}${chain}\r\n`
  assert.match(await whatAClientGets(router, request), / 200 /)
  const find = () =>
    router.records
      .map((it) => parseRouterRecord(it)?.message ?? '')
      .find((it) => it.includes(`path="${path}" host=long.localhost `))
  await until('there is a line', () => find() !== undefined)
  assert.match(find() ?? '', / fwd="(1\.2\.3\.4,){501}127\.0\.0\.1" dyno=web\.1 /)
})
