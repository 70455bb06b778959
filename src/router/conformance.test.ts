/**
 * Heroku's router case by case, after the groups of the tests of vegur, which carried Heroku's
 * requests for ten years: what a client says, what the dyno gets and says, what the client gets.
 * Where HAProxy does otherwise the row says so; docs/operating/router.md lists those.
 */

import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'

import { anExchanger, type DynoScript } from '../../test/an-exchange.ts'
import { aRouter } from '../../test/a-router.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { parseRouterRecord } from '../logs/router-record.ts'

const pool = aDatabase()

const HOST = 'Host: vegur.localhost\r\n'
const host = 'host: vegur.localhost\r\n'
const CLOSE = 'Connection: close\r\n'
const KEEP = 'Connection: keep-alive\r\n'
const OK = 'HTTP/1.1 200 OK\r\n'
const TWO = 'Content-Length: 2\r\n\r\nok'
const CHUNKED = 'Transfer-Encoding: chunked\r\n'
const UPGRADE = 'Connection: upgrade\r\nUpgrade: foo\r\n'

const ask = (headers = CLOSE, method = 'GET', version = '1.1') =>
  `${method} /p HTTP/${version}\r\n${HOST}${headers}\r\n`
const post = (headers: string, body: string) =>
  `${ask(`${CLOSE}${headers}`, 'POST')}${body}`
/** An answer after which the client is hung up on. */
const ended = (headers: string, body: string) =>
  `${OK}${headers}connection: close\r\n\r\n${body}`

interface Row {
  readonly what: string
  readonly send: string
  readonly dyno: string | DynoScript
  /** All that the dyno gets; left out: not looked at. */
  readonly heard?: string | RegExp
  readonly got: string | RegExp
  /** The client stays until this; left out: until it is hung up on. */
  readonly enough?: RegExp
  /** What the client does after it has sent that. */
  readonly next?: (client: Socket) => void
}

const hello: DynoScript = (it) => it.end(`${OK}\r\nhello`)
const later = (it: Socket, ...texts: readonly string[]) => {
  const [first, ...rest] = texts
  if (first === undefined) return
  it.write(first, 'latin1')
  setTimeout(() => later(it, ...rest), 30)
}
const inPieces =
  (...texts: readonly string[]): DynoScript =>
  (it) =>
    later(it, ...texts)

const groups: Readonly<Record<string, readonly Row[]>> = {
  'proxy headers': [
    {
      what: 'the query is kept',
      send: `GET /a/b?c=d&e=%20 HTTP/1.1\r\n${HOST}${CLOSE}\r\n`,
      dyno: `${OK}${TWO}`,
      heard: `GET /a/b?c=d&e=%20 HTTP/1.1\r\n${host}\r\n`,
      got: /^HTTP\/1\.1 200 OK\r\n/,
    },
    {
      what: 'a length is kept',
      send: post('Content-Length: 2\r\n', 'ab'),
      dyno: `${OK}${TWO}`,
      heard: `POST /p HTTP/1.1\r\n${host}content-length: 2\r\n\r\nab`,
      got: /^HTTP\/1\.1 200 OK\r\n/,
    },
    {
      what: 'without a length there is none',
      send: ask(CLOSE, 'POST'),
      dyno: `${OK}${TWO}`,
      heard: `POST /p HTTP/1.1\r\n${host}\r\n`,
      got: /^HTTP\/1\.1 200 OK\r\n/,
    },
    {
      what: `a dyno's Server and Via stay, and ours is added`,
      send: ask(),
      dyno: `${OK}Server: mine\r\nVia: 1.0 cache\r\n${TWO}`,
      got: `${OK}server: mine\r\nvia: 1.0 cache\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok`,
    },
  ],
  continue: [
    {
      what: 'the router itself says 100, and the dyno hears of no expectation',
      send: post('Expect: 100-continue\r\nContent-Length: 2\r\n', 'ab'),
      dyno: `${OK}${TWO}`,
      heard: `POST /p HTTP/1.1\r\n${host}content-length: 2\r\n\r\nab`,
      got: `HTTP/1.1 100 Continue\r\n\r\n${ended('content-length: 2\r\n', 'ok')}`,
    },
    {
      what: 'a body that comes after the 100',
      send: post('Expect: 100-Continue\r\nContent-Length: 2\r\n', ''),
      dyno: `${OK}${TWO}`,
      heard: `POST /p HTTP/1.1\r\n${host}content-length: 2\r\n\r\nab`,
      got: /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/,
      next: (client) => client.once('data', () => client.write('ab')),
    },
    {
      what: 'no body, no 100',
      send: ask(`${CLOSE}Expect: 100-continue\r\n`),
      dyno: `${OK}${TWO}`,
      heard: `GET /p HTTP/1.1\r\n${host}\r\n`,
      got: /^HTTP\/1\.1 200 OK\r\n/,
    },
    {
      what: 'HTTP/1.0 gets no 100',
      send: `${ask('Expect: 100-continue\r\nContent-Length: 2\r\n', 'POST', '1.0')}ab`,
      dyno: `${OK}${TWO}`,
      got: /^HTTP\/1\.1 200 OK\r\n/,
    },
    {
      what: 'an empty expectation is none',
      send: ask(`${CLOSE}Expect:\r\n`),
      dyno: `${OK}${TWO}`,
      heard: `GET /p HTTP/1.1\r\n${host}\r\n`,
      got: /^HTTP\/1\.1 200 OK\r\n/,
    },
    {
      what: 'another expectation fails',
      send: post('Expect: tea\r\nContent-Length: 2\r\n', 'ab'),
      dyno: `${OK}${TWO}`,
      heard: '',
      got: /^HTTP\/1\.1 417 /,
    },
    {
      what: `a dyno's own 100 and 103 are relayed`,
      send: ask(),
      dyno: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}${TWO}`,
      got: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${ended('content-length: 2\r\n', 'ok')}`,
    },
    {
      what: '100, and then 101',
      send: ask(`${UPGRADE}Expect: 100-continue\r\n`),
      dyno: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 Switching Protocols\r\n${UPGRADE}\r\nhi`,
      got: /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 101 Switching Protocols\r\n[^]*hi$/,
      enough: /hi$/,
    },
    {
      what: 'a final answer without waiting for the body',
      send: post('Expect: 100-continue\r\nContent-Length: 9\r\n', 'a'),
      dyno: `HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nok`,
      got: /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 413 Too Large\r\n[^]*ok$/,
      enough: /\r\n\r\nok$/,
    },
  ],
  headers: [
    {
      what: 'equal lengths of an answer become one',
      send: ask(),
      dyno: `${OK}Content-Length: 2\r\n${TWO}`,
      got: ended('content-length: 2\r\n', 'ok'),
    },
    {
      what: 'equal lengths in one line, too',
      send: ask(),
      dyno: `${OK}Content-Length: 2, 2\r\n\r\nok`,
      got: ended('content-length: 2\r\n', 'ok'),
    },
    {
      what: 'different lengths of an answer fail',
      send: ask(),
      dyno: `${OK}Content-Length: 3\r\n${TWO}`,
      got: /^HTTP\/1\.1 503 /,
    },
    {
      what: 'different lengths in one line, too',
      send: ask(),
      dyno: `${OK}Content-Length: 2, 3\r\n\r\nok`,
      got: /^HTTP\/1\.1 503 /,
    },
    {
      what: 'chunked goes before a length',
      send: ask(),
      dyno: `${OK}Content-Length: 20\r\n${CHUNKED}\r\n2\r\nok\r\n0\r\n\r\n`,
      got: ended('transfer-encoding: chunked\r\n', '2\r\nok\r\n0\r\n\r\n'),
    },
    {
      what: 'hop-by-hop headers of an answer stay here',
      send: ask(),
      dyno: `${OK}Keep-Alive: 5\r\nConnection: X-A\r\nTE: a\r\nProxy-Authorization: b\r\nProxy-Authenticate: c\r\n${TWO}`,
      got: ended(`proxy-authenticate: c\r\ncontent-length: 2\r\n`, 'ok'),
    },
    {
      what: 'a cookie of 8 KiB is relayed',
      send: ask(),
      dyno: `${OK}Set-Cookie: a=${'x'.repeat(8192)}\r\n${TWO}`,
      got: /\r\nset-cookie: a=x{8192}\r\n/,
    },
    {
      what: 'a head of an answer that fits no buffer fails',
      send: ask(),
      dyno: `${OK}X: ${'x'.repeat(17_000)}\r\n${TWO}`,
      got: /^HTTP\/1\.1 503 /,
    },
    {
      what: 'several headers of a name stay several, in their order',
      send: ask(`${CLOSE}B: 1\r\nA: 2\r\nB: 3\r\n`),
      dyno: `${OK}Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n${TWO}`,
      heard: `GET /p HTTP/1.1\r\n${host}b: 1\r\na: 2\r\nb: 3\r\n\r\n`,
      got: ended(`set-cookie: a=1\r\nset-cookie: b=2\r\ncontent-length: 2\r\n`, 'ok'),
    },
    {
      what: 'a status line without a reason',
      send: ask(),
      dyno: `HTTP/1.1 200\r\n${TWO}`,
      got: 'HTTP/1.1 200 \r\ncontent-length: 2\r\nconnection: close\r\n\r\nok',
    },
    {
      what: 'a status of two digits fails',
      send: ask(),
      dyno: `HTTP/1.1 99 OK\r\n${TWO}`,
      got: /^HTTP\/1\.1 503 /,
    },
    {
      what: 'a status line that is none fails',
      send: ask(),
      dyno: (it) => it.end('HTTP/1.1 OK 200\r\n\r\n'),
      got: /^HTTP\/1\.1 503 /,
    },
  ],
  'HTTP/1.0': [
    {
      what: 'is told HTTP/1.1, and hung up on',
      send: ask('', 'GET', '1.0'),
      dyno: `${OK}${TWO}`,
      heard: `GET /p HTTP/1.0\r\n${host}connection: keep-alive\r\n\r\n`,
      got: ended('content-length: 2\r\n', 'ok'),
    },
    {
      what: 'an end by hanging up is relayed',
      send: ask('', 'GET', '1.0'),
      dyno: hello,
      got: ended('', 'hello'),
    },
    {
      what: 'keep-alive where it is asked for',
      send: ask(KEEP, 'GET', '1.0'),
      dyno: `${OK}${TWO}`,
      got: `${OK}content-length: 2\r\nconnection: keep-alive\r\n\r\nok`,
      enough: /ok$/,
    },
    {
      what: 'the version of the dyno`s answer is relayed',
      send: ask(),
      dyno: `HTTP/1.0 200 OK\r\n${TWO}`,
      got: /^HTTP\/1\.0 200 OK\r\n[^]*ok$/,
    },
  ],
  chunked: [
    {
      what: 'chunks pass as they come',
      send: ask(),
      dyno: inPieces(`${OK}${CHUNKED}\r\n`, '5\r\nhello\r\n', '1\r\n!\r\n', '0\r\n\r\n'),
      got: /^HTTP\/1\.1 200 OK\r\n[^]*5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n$/,
    },
    {
      what: 'a last chunk in pieces',
      send: ask(),
      dyno: inPieces(`${OK}${CHUNKED}\r\n2\r\nok\r\n`, '0', '\r', '\n', '\r', '\n'),
      got: ended('transfer-encoding: chunked\r\n', '2\r\nok\r\n0\r\n\r\n'),
    },
    {
      what: 'lines that end by a newline alone',
      send: post(CHUNKED, '2\nab\n0\n\n'),
      dyno: `${OK}${TWO}`,
      heard: `POST /p HTTP/1.1\r\n${host}transfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n`,
      got: /^HTTP\/1\.1 200 OK\r\n/,
    },
    {
      what: 'trailers, declared',
      send: ask(),
      dyno: `${OK}${CHUNKED}Trailer: X-T\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\n\r\n`,
      got: ended(
        'transfer-encoding: chunked\r\ntrailer: X-T\r\n',
        '2\r\nok\r\n0\r\nx-t: 1\r\n\r\n',
      ),
    },
    {
      what: 'trailers, undeclared',
      send: ask(),
      dyno: `${OK}${CHUNKED}\r\n2\r\nok\r\n0\r\nX-T: 1\r\n\r\n`,
      got: ended('transfer-encoding: chunked\r\n', '2\r\nok\r\n0\r\nx-t: 1\r\n\r\n'),
    },
    {
      what: 'a dyno that breaks off: the last chunk is missing',
      send: ask(),
      dyno: (it) => it.end(`${OK}${CHUNKED}\r\n5\r\nhe`),
      got: /^HTTP\/1\.1 200 OK\r\n(?![^]*0\r\n\r\n$)/,
    },
    {
      what: 'a broken chunk of a client',
      send: post(CHUNKED, '3\r\nabcd\r\n0\r\n\r\n'),
      dyno: `${OK}${TWO}`,
      heard: '',
      got: /^HTTP\/1\.1 400 /,
    },
  ],
  'without a body': [
    ...[
      ['a length', 'Content-Length: 1000\r\n', 'content-length: 1000\r\n'],
      ['neither', '', ''],
      ['chunked', CHUNKED, CHUNKED.toLowerCase()],
      ['an end by hanging up', CLOSE, ''],
    ].map(([what = '', sent = '', got = '']) => ({
      what: `HEAD answered with ${what}`,
      send: ask(CLOSE, 'HEAD'),
      dyno: `${OK}${sent}\r\n`,
      got: ended(got, ''),
    })),
    {
      what: 'HEAD answered with a body all the same',
      send: ask(CLOSE, 'HEAD'),
      dyno: `${OK}${TWO}`,
      got: ended('content-length: 2\r\n', ''),
    },
    ...['204 No Content', '304 Not Modified'].flatMap((status) =>
      ['', CHUNKED, CLOSE, 'Content-Length: 5\r\n'].map((header) => ({
        what: `${status} with ${header.trim() || 'nothing'}`,
        send: ask(),
        dyno: `HTTP/1.1 ${status}\r\n${header}\r\n`,
        got: new RegExp(
          `^HTTP/1\\.1 ${status}\\r\\n([^\\r]+\\r\\n)*connection: close\\r\\n\\r\\n$`,
        ),
      })),
    ),
    {
      what: 'an encoding that is none fails',
      send: ask(),
      dyno: `${OK}Transfer-Encoding: gzip\r\n\r\nok`,
      got: /^HTTP\/1\.1 503 /,
    },
  ],
  'large bodies': [
    {
      what: 'a megabyte each way',
      send: post('Content-Length: 1000000\r\n', `${'a'.repeat(999_999)}z`),
      dyno: (it) =>
        it.on('data', (text) => {
          if (!text.toString().endsWith('z')) return
          it.write(`${OK}Content-Length: 1000000\r\n\r\n${'b'.repeat(1_000_000)}`)
        }),
      heard: /\r\n\r\na{999999}z$/,
      got: /\r\n\r\nb{1000000}$/,
    },
    {
      what: 'a megabyte that ends by hanging up',
      send: ask(),
      dyno: (it) => it.end(`${OK}\r\n${'b'.repeat(1_000_000)}`),
      got: /\r\n\r\nb{1000000}$/,
    },
    ...[
      ['a length', 'Content-Length: 10\r\n', 'abc'],
      ['chunks', CHUNKED, '3\r\nabc\r\n'],
    ].map(([what = '', header = '', body = '']) => ({
      what: `an answer while a body in ${what} is still sent`,
      send: `${ask(header, 'POST')}${body}`,
      dyno: `${OK}${TWO}`,
      got: `${OK}content-length: 2\r\n\r\nok`,
      enough: /ok$/,
    })),
    {
      what: 'what is beyond the length is dropped',
      send: ask(),
      dyno: `${OK}${TWO}and more`,
      got: ended('content-length: 2\r\n', 'ok'),
    },
  ],
  upgrades: [
    {
      what: 'any protocol and then bytes, until the dyno hangs up',
      send: ask(UPGRADE),
      dyno: (it) => {
        it.write(`HTTP/1.1 101 Switching Protocols\r\n${UPGRADE}\r\n\x00\xff`, 'latin1')
        setTimeout(() => it.end('bye'), 30)
      },
      heard: `GET /p HTTP/1.1\r\n${host}connection: upgrade\r\nupgrade: foo\r\n\r\n`,
      got: 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: foo\r\n\r\n\x00\xffbye',
    },
    {
      what: 'any method',
      send: ask(UPGRADE, 'HEAD'),
      dyno: (it) => it.end(`HTTP/1.1 101 Switching Protocols\r\n${UPGRADE}\r\nhi`),
      got: /^HTTP\/1\.1 101 [^]*hi$/,
    },
    {
      what: 'the client`s bytes reach the dyno',
      send: ask(UPGRADE),
      dyno: (it) => {
        it.write(`HTTP/1.1 101 Switching Protocols\r\n${UPGRADE}\r\nhi`)
        it.once('data', (text) => it.end(`got ${text.toString()}`))
      },
      got: /hi?got there$/,
      next: (client) => client.once('data', () => client.write('there')),
    },
    {
      what: 'a dyno that does not want to',
      send: ask(UPGRADE),
      dyno: `${OK}${TWO}`,
      got: `${OK}content-length: 2\r\n\r\nok`,
      enough: /ok$/,
    },
    {
      what: '101 that nobody asked for fails',
      send: ask(),
      dyno: `HTTP/1.1 101 Switching Protocols\r\n${UPGRADE}\r\nhi`,
      got: /^HTTP\/1\.1 503 /,
    },
    {
      what: 'Connection without Upgrade is refused',
      send: ask('Connection: upgrade\r\n'),
      dyno: `${OK}${TWO}`,
      heard: '',
      got: /^HTTP\/1\.1 400 /,
    },
    {
      what: 'HTTP/2 in plain text is nothing to upgrade to',
      send: ask(
        'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n',
      ),
      dyno: `${OK}${TWO}`,
      heard: `GET /p HTTP/1.1\r\n${host}\r\n`,
      got: /^HTTP\/1\.1 200 OK\r\n/,
      enough: /ok$/,
    },
  ],
  'request lines': [
    {
      what: 'a whole address',
      send: `GET http://vegur.localhost/p?q HTTP/1.1\r\n${HOST}${CLOSE}\r\n`,
      dyno: `${OK}${TWO}`,
      heard: `GET /p?q HTTP/1.1\r\n${host}\r\n`,
      got: /^HTTP\/1\.1 200 OK\r\n/,
    },
    {
      what: 'a whole address without a path',
      send: `GET http://vegur.localhost HTTP/1.1\r\n${HOST}${CLOSE}\r\n`,
      dyno: `${OK}${TWO}`,
      heard: `GET / HTTP/1.1\r\n${host}\r\n`,
      got: /^HTTP\/1\.1 200 OK\r\n/,
    },
    {
      what: 'a whole address of another host',
      send: `GET http://other.localhost/p HTTP/1.1\r\n${HOST}${CLOSE}\r\n`,
      dyno: `${OK}${TWO}`,
      heard: '',
      got: /^HTTP\/1\.1 400 /,
    },
    {
      what: '8,192 bytes of path',
      send: `GET /${'a'.repeat(8191)} HTTP/1.1\r\n${HOST}${CLOSE}\r\n`,
      dyno: `${OK}${TWO}`,
      heard: /^GET \/a{8191} HTTP/,
      got: /^HTTP\/1\.1 200 OK\r\n/,
    },
    {
      what: 'more than 8,192 bytes of path',
      send: `GET /${'a'.repeat(8192)} HTTP/1.1\r\n${HOST}${CLOSE}\r\n`,
      dyno: `${OK}${TWO}`,
      heard: '',
      got: /^HTTP\/1\.1 400 /,
    },
    {
      what: 'a method of 127 letters, and of 128',
      send: ask(CLOSE, 'M'.repeat(128)),
      dyno: `${OK}${TWO}`,
      heard: '',
      got: /^HTTP\/1\.1 400 /,
    },
  ],
}

test('the router does as Heroku`s', async (t) => {
  const router = await aRouter(t, pool)
  const exchanger = await anExchanger(t, router, 'vegur')

  for (const [group, rows] of Object.entries(groups)) {
    for (const { what, send, dyno, heard, got, enough, next } of rows) {
      await t.test(`${group}: ${what}`, async () => {
        const it = await exchanger.exchange(send, dyno, enough, next)
        mustBe(it.got, got)
        if (heard !== undefined) mustBe(it.heard, heard)
      })
    }
  }

  for (const [version, client] of said) {
    const stays = version === '1.1' ? client !== CLOSE : client === KEEP
    const fate = stays ? 'kept' : 'hung up on'
    const name = `a client of HTTP/${version} saying "${client.trim()}" is ${fate}`
    await t.test(`keep-alive: ${name}, whatever the dyno says`, async () => {
      for (const [dynoVersion, saying] of said) {
        const answer = `HTTP/${dynoVersion} 200 OK\r\n${saying}${TWO}`
        const dyno: DynoScript = (it) =>
          saying === CLOSE ? it.end(answer) : it.write(answer)
        const send = ask(client, 'GET', version)
        const again = (socket: Socket) => socket.once('data', () => socket.write(send))
        const it = stays
          ? await exchanger.exchange(send, dyno, /\r\n\r\nok[^]*\r\n\r\nok$/, again)
          : await exchanger.exchange(send, dyno)
        const answers = it.got.split('\r\n\r\nok').length - 1
        assert.equal(answers, stays ? 2 : 1, `HTTP/${dynoVersion} ${saying}: ${it.got}`)
        assert.equal(it.closed, !stays)
      }
    })
  }

  await t.test('what is refused has its line', () =>
    until('H26 tells of it', () => router.records.some((it) => REFUSAL.test(lineOf(it)))),
  )
})

const said = ['1.1', '1.0'].flatMap((version) =>
  ['', CLOSE, KEEP].map((header) => [version, header] as const),
)

const REFUSAL =
  /^at=error code=H26 desc="Request Error" cause="bad request" method=GET path="\/p" .* status=400/

const lineOf = (record: string) => parseRouterRecord(record)?.message ?? ''

function mustBe(is: string, expected: string | RegExp): void {
  if (expected instanceof RegExp) assert.match(is, expected)
  else assert.equal(is, expected)
}
