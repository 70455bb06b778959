/**
 * Answers as Heroku's router gives them on, case by case: see test/vegur.ts. Where HAProxy does otherwise than
 * Heroku the row says so; docs/operating/router.md lists those.
 */

import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'

import { anExchanger, type DynoScript } from '../../test/an-exchange.ts'
import { aRouter } from '../../test/a-router.ts'
import { aRouterLine } from '../../test/a-router-line.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import {
  APP,
  ask,
  type Cases,
  CHUNKED,
  CLOSE,
  ended,
  FAILED,
  host,
  HOST,
  inPieces,
  KEEP,
  OK,
  play,
  post,
  TWO,
  UNREADABLE,
} from '../../test/vegur.ts'
import { parseRouterRecord } from '../logs/router-line.ts'

const pool = aDatabase()

const hello: DynoScript = (it) => it.end(`${OK}\r\nhello`)

/** What a client gets of what most dynos here say. */
const WHOLE = ended('content-length: 2\r\n', 'ok')

/** Chunks that are there at once are made one: each when the client has the one before. */
async function sayEach(
  it: Socket,
  clientHas: (text: string) => Promise<void>,
): Promise<void> {
  it.write(`${OK}${CHUNKED}\r\n`)
  for (const chunk of ['5\r\nhello\r\n', '1\r\n!\r\n']) {
    it.write(chunk)
    await clientHas(chunk)
  }
  it.write('0\r\n\r\n')
}

const cases: Cases = {
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
      got: FAILED,
    },
    {
      what: 'different lengths in one line, too',
      send: ask(),
      dyno: `${OK}Content-Length: 2, 3\r\n\r\nok`,
      got: FAILED,
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
      dyno: `${OK}Set-Cookie: a=${'x'.repeat(8190)}\r\n${TWO}`,
      got: /\r\nset-cookie: a=x{8190}\r\n/,
    },
    {
      what: 'a longer one fails',
      send: ask(),
      dyno: `${OK}Set-Cookie: a=1\r\nSet-Cookie: a=${'x'.repeat(8191)}\r\n${TWO}`,
      got: /^HTTP\/1\.1 502 [^]*Application error/,
    },
    {
      what: 'a head of an answer that fits no buffer fails',
      send: ask(),
      dyno: `${OK}X: ${'x'.repeat(17_000)}\r\n${TWO}`,
      got: FAILED,
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
      by3: { got: ended('content-length: 2\r\n', 'ok') },
    },
    {
      what: 'a status of two digits fails',
      send: ask(),
      dyno: `HTTP/1.1 99 OK\r\n${TWO}`,
      got: FAILED,
    },
    {
      what: 'a status of four digits fails',
      send: ask(),
      dyno: `HTTP/1.1 1000 OK\r\n${TWO}`,
      got: FAILED,
    },
    {
      what: 'one after an interim answer fails',
      send: ask(),
      dyno: `HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 1000 OK\r\n${TWO}`,
      got: /HTTP\/1\.1 50[23] /,
    },
    {
      what: 'a status line that is none fails',
      send: ask(),
      dyno: (it) => it.end('HTTP/1.1 OK 200\r\n\r\n'),
      got: FAILED,
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
      what: 'chunks are not taken out, but the end is told',
      send: ask('', 'GET', '1.0'),
      dyno: `${OK}${CHUNKED}\r\n2\r\nok\r\n0\r\n\r\n`,
      got: ended('transfer-encoding: chunked\r\n', '2\r\nok\r\n0\r\n\r\n'),
    },
    {
      what: 'also where keep-alive is asked for',
      send: ask(KEEP, 'GET', '1.0'),
      dyno: `${OK}${CHUNKED}\r\n2\r\nok\r\n0\r\n\r\n`,
      got: ended('transfer-encoding: chunked\r\n', '2\r\nok\r\n0\r\n\r\n'),
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
      dyno: (it, _, clientHas) => void sayEach(it, clientHas),
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
      got: WHOLE,
      by3: { heard: '', got: UNREADABLE },
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
      got: UNREADABLE,
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
      got: FAILED,
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
}

test('answers are given on as Heroku`s router gives them', async (t) => {
  const router = await aRouter(t, pool)
  const exchanger = await anExchanger(t, router, APP)
  await play(t, exchanger, cases)

  await t.test('a cookie that is too long has its line', () =>
    until('H25 tells of it', () =>
      router.records.some((it) => COOKIE.test(parseRouterRecord(it)?.message ?? '')),
    ),
  )

  for (const [what, method, answer, bytes] of counted) {
    await t.test(`bytes in the log: ${what}`, async () => {
      const path = `/${encodeURIComponent(what)}`
      const send = `${method} ${path} HTTP/1.1\r\n${HOST}${CLOSE}\r\n`
      await exchanger.exchange(send, (it) => it.end(answer))
      assert.match(await aRouterLine(router, path), bytes)
    })
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
})

const COOKIE =
  /^at=error code=H25 desc="HTTP restriction: oversized cookie" method=GET path="\/p" .* dyno=web\.1 .* status=502/

/** What a line says of what the dyno sends. */
const counted: readonly (readonly [string, string, string, RegExp])[] = [
  ['a body', 'GET', `${OK}${TWO}`, / bytes=2 /],
  [
    'a large one',
    'GET',
    `${OK}${lengthOf(300_000)}${'b'.repeat(300_000)}`,
    / bytes=300000 /,
  ],
  ['an empty one', 'GET', `${OK}Content-Length: 0\r\n\r\n`, / bytes=0 /],
  ['HEAD', 'HEAD', `${OK}Content-Length: 1000\r\n\r\n`, / bytes=0 /],
  ['304', 'GET', `HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n`, / bytes=0 /],
  [
    'chunks, with the head',
    'GET',
    `${OK}${CHUNKED}\r\n2\r\nok\r\n0\r\n\r\n`,
    / status=200 bytes=\d\d /,
  ],
  [
    'half of one, with the head',
    'GET',
    `${OK}${lengthOf(500)}${'b'.repeat(250)}`,
    / code=H18 .* bytes=[23]\d\d /,
  ],
]

function lengthOf(body: number): string {
  return `Content-Length: ${body}\r\n\r\n`
}

const said = ['1.1', '1.0'].flatMap((version) =>
  ['', CLOSE, KEEP].map((header) => [version, header] as const),
)
