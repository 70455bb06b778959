/**
 * Who is silent for too long, in which phase, and who is told to be at fault: see test/vegur.ts. The time to a
 * first byte is much shorter than that of silence here, so that the one cannot be taken for the other.
 */

import assert from 'node:assert/strict'
import { type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2'
import type { Socket } from 'node:net'
import { test } from 'node:test'

import { aBackend, aRouter } from '../../test/a-router.ts'
import { aRouterLine } from '../../test/a-router-line.ts'
import { aDatabase } from '../../test/postgres.ts'
import {
  aPage,
  ask,
  type Cases,
  CHUNKED,
  FAILED,
  host,
  later,
  OK,
  playAtOnce,
  put,
  REFUSED_AS,
  TWO,
  UPGRADE,
  WELL,
} from '../../test/vegur.ts'
import { whatAClientGets } from '../../test/what-a-client-gets.ts'
import { pause, SECOND } from '../lib/clock.ts'
import { PAGES } from './pages.ts'

const pool = aDatabase()

/** Long enough for all that happens at once to do so in time on a machine that is slow. */
const quick = {
  connect: 5 * SECOND,
  firstByte: 1.2 * SECOND,
  idle: 3.2 * SECOND,
  boot: 8 * SECOND,
}
/** In time, though later than the first byte may be. */
const LATER = 2 * SECOND

const H12 = 'at=error code=H12 desc="Request timeout" dyno=web.1 status=503'
const CUT_BY_CLIENT =
  'sock=client at=warning code=H27 desc="Client Request Interrupted" dyno=web.1 status=499'
const H15 = 'at=error code=H15 desc="Idle connection" dyno=web.1 status=503'
/** As HAProxy 3 tells one that is silent in its body. */
const CLIENT_IDLE = {
  got: REFUSED_AS[400] ?? '',
  line: 'at=warning code=H28 desc="Client Connection Idle" dyno=web.1 status=499',
}
const SWITCHED = `HTTP/1.1 101 Switching Protocols\r\n${UPGRADE}\r\n`
const switched =
  'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: foo\r\n\r\n'
const slowPage = aPage(503, PAGES['H12']?.html ?? '').replace('connection: close\r\n', '')

const cases: Cases = {
  'first byte': [
    {
      what: 'none',
      send: ask(''),
      dyno: () => {},
      enough: /<\/html>\n$/,
      got: slowPage,
      line: H12,
    },
    {
      what: 'none, once all of a body was sent',
      send: put('Content-Length: 2\r\n', 'ab'),
      dyno: () => {},
      enough: /<\/html>\n$/,
      got: slowPage,
      line: H12,
    },
    {
      what: 'late by what silence may last, but not by what the first byte may',
      send: ask(''),
      dyno: (it) => setTimeout(() => it.write(`${OK}${TWO}`), 2 * quick.firstByte),
      enough: /<\/html>\n$/,
      got: slowPage,
      line: H12,
    },
    ...['POST', 'GET'].map((method) => ({
      what: `a client that takes its time with its body, longer than the first byte may: ${method}`,
      send: `${ask('Content-Length: 51\r\n', method)}a`,
      dyno: (it: Socket) =>
        it.on('data', (text) => String(text).endsWith('z') && it.write(`${OK}${TWO}`)),
      next: later(...'bcdefghij'.repeat(5).split(''), ...'klmnz'.split('')),
      enough: /ok$/,
      got: `${OK}content-length: 2\r\n\r\nok`,
      line: WELL,
    })),
    {
      what: 'a client that stops sending its body: HAProxy 2.6 has one clock for both',
      send: put('Content-Length: 6\r\n', 'a'),
      dyno: () => {},
      got: FAILED,
      line: H12,
      by3: CLIENT_IDLE,
    },
    {
      what: 'a client that stops sending its chunks',
      send: put(CHUNKED, '2\r\nab\r\n'),
      dyno: () => {},
      got: FAILED,
      line: H12,
      by3: CLIENT_IDLE,
    },
  ],
  'later bytes': [
    {
      what: 'in time, though later than the first may be',
      send: ask(''),
      dyno: (it) => {
        it.write(`${OK}Content-Length: 4\r\n\r\nok`)
        setTimeout(() => it.write('ok'), LATER)
      },
      enough: /okok$/,
      got: `${OK}content-length: 4\r\n\r\nokok`,
      line: WELL,
    },
    {
      what: 'none any more',
      send: ask(''),
      dyno: `${OK}Content-Length: 4\r\n\r\nok`,
      got: `${OK}content-length: 4\r\n\r\nok`,
      line: H15,
    },
    {
      what: 'none any more, in chunks',
      send: ask(''),
      dyno: `${OK}${CHUNKED}\r\n2\r\nok\r\n`,
      got: `${OK}transfer-encoding: chunked\r\n\r\n2\r\nok\r\n`,
      line: H15,
    },
    {
      what: 'a client that stops sending its body once it is answered',
      send: put('Content-Length: 6\r\n', 'a'),
      dyno: `${OK}${TWO}`,
      got: `${OK}content-length: 2\r\n\r\nok`,
      line: CLIENT_IDLE.line,
    },
  ],
  'the body after 100': [
    {
      what: 'never comes',
      send: put('Expect: 100-continue\r\nContent-Length: 2\r\n', ''),
      dyno: `${OK}${TWO}`,
      heard: '',
      got: `HTTP/1.1 100 Continue\r\n\r\n${REFUSED_AS[408]}`,
      line: 'at=error code=H26 desc="Request Error" cause="request body timeout" dyno= status=408',
    },
    {
      what: 'comes late',
      send: put('Expect: 100-continue\r\nContent-Length: 2\r\n', ''),
      dyno: `${OK}${TWO}`,
      next: (it) => it.once('data', () => setTimeout(() => it.write('ab'), LATER)),
      enough: /ok$/,
      heard: `POST /p HTTP/1.1\r\n${host}content-length: 2\r\n\r\nab`,
      got: `HTTP/1.1 100 Continue\r\n\r\n${OK}content-length: 2\r\n\r\nok`,
      line: WELL,
    },
    {
      what: 'begins, and does not go on',
      send: put('Expect: 100-continue\r\nContent-Length: 6\r\n', 'a'),
      dyno: () => {},
      heard: `POST /p HTTP/1.1\r\n${host}content-length: 6\r\n\r\na`,
      got: /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 503 /,
      line: H12,
      by3: { ...CLIENT_IDLE, got: `HTTP/1.1 100 Continue\r\n\r\n${REFUSED_AS[400]}` },
    },
  ],
  'a client that goes before it is answered': [
    ['by closing', (it: Socket) => void it.destroy(), ''] as const,
    ['by a reset', (it: Socket) => void it.resetAndDestroy(), ''] as const,
    // HAProxy takes that for the same.
    [
      'by closing its own half',
      (it: Socket) => void it.end(),
      REFUSED_AS[400] ?? '',
    ] as const,
  ].map(([what, how, got]) => ({
    what,
    send: ask(''),
    dyno: () => {},
    next: (it: Socket, dynoHeard: Promise<void>) => void dynoHeard.then(() => how(it)),
    got,
    line: CUT_BY_CLIENT,
  })),
  'a pipe of bytes': [
    {
      what: 'on which the dyno says nothing, nor the client',
      send: ask(UPGRADE),
      dyno: `${SWITCHED}hi`,
      got: `${switched}hi`,
      line: H15,
    },
    {
      what: 'on which the dyno alone speaks',
      send: ask(UPGRADE),
      dyno: (it) => {
        it.write(`${SWITCHED}1`)
        for (const nth of [2, 3]) setTimeout(() => it.write(`${nth}`), (nth - 1) * LATER)
      },
      got: `${switched}123`,
      line: H15,
    },
    {
      what: 'on which the client alone speaks',
      send: ask(UPGRADE),
      dyno: SWITCHED,
      next: (it) =>
        it.once('data', () => {
          for (const nth of [1, 2]) setTimeout(() => it.write(`${nth}`), nth * LATER)
        }),
      heard: `GET /p HTTP/1.1\r\n${host}connection: upgrade\r\nupgrade: foo\r\n\r\n12`,
      got: switched,
      line: H15,
    },
  ],
}

test('who is silent is told as by Heroku`s router', { concurrency: true }, async (t) => {
  await playAtOnce(t, await aRouter(t, pool, { timeouts: quick }), cases)
})

async function sayAll(stream: ClientHttp2Stream, pieces: string): Promise<void> {
  for (const piece of pieces) {
    stream.write(piece)
    await pause(0.2 * SECOND)
  }
  stream.end()
}

test('in HTTP/2, where no header tells that a body is to come', async (t) => {
  const router = await aRouter(t, pool, { timeouts: quick, byTls: true })
  const app = await router.app('streams')
  const dyno = await aBackend(t, ({ url }, response) => {
    if (url !== '/silent') response.end('ok')
  })
  await router.dyno(app, dyno)
  const reader = await router.app('reads')
  const reads = await aBackend(t, (request, response) => {
    let got = ''
    request.setEncoding('latin1').on('data', (text: string) => (got += text))
    request.on('error', () => {}).on('end', () => response.end(got))
  })
  await router.dyno(reader, reads)
  await router.look()
  await router.start()
  const session = connectHttp2(`https://localhost:${router.tlsPort}`, {
    servername: 'reads.localhost',
    rejectUnauthorized: false,
  })
  t.after(() => session.destroy())
  const asked = (name: string, path: string, method: string, pieces: string) => {
    const names = { ':authority': `${name}.localhost`, ':path': path, ':method': method }
    const stream = session.request(names, { endStream: pieces === '' })
    if (pieces !== '') void sayAll(stream, pieces)
    return stream.toArray().then((all) => all.join(''))
  }

  const long = 'abcdefgh'
  await Promise.all([
    ...['POST', 'GET', 'PUT'].map(async (method) => {
      assert.equal(await asked('reads', `/${method}`, method, long), long, method)
      assert.match(await aRouterLine(router, `/${method}`), /^at=info .* status=200 /)
    }),
    // One without a body has the page and the clock of others.
    ...['POST', 'GET', 'DELETE'].map(async (method) => {
      assert.match(await asked('streams', '/silent', method, ''), /\(H12\)/, method)
    }),
    asked('streams', '/answers', 'POST', '').then((body) => assert.equal(body, 'ok')),
  ])
})

test('who opened a connection ahead and asks nothing is told nothing', async (t) => {
  const router = await aRouter(t, pool, { timeouts: quick })
  await router.look()
  await router.start()
  const [silent, gone, begun] = await Promise.all([
    whatAClientGets(router, ''),
    whatAClientGets(router, '', (it) => it.end()),
    whatAClientGets(router, 'GET / HT'),
  ])
  assert.deepEqual([silent, gone], ['', ''])
  assert.match(begun, /^HTTP\/1\.1 408 /)
})
