/**
 * Bodies that break off, are none, or cross each other on their way: see test/vegur.ts. Where a side is at
 * fault before an answer began the client is told by a page, and afterwards by a connection that ends.
 */

import type { Socket } from 'node:net'
import { test } from 'node:test'

import { anExchanger, type ClientScript } from '../../test/an-exchange.ts'
import { aRouter } from '../../test/a-router.ts'
import { aDatabase } from '../../test/postgres.ts'
import {
  APP,
  ask,
  type Cases,
  CHUNKED,
  CLOSE,
  FAILED,
  host,
  inPieces,
  later,
  NO_HTTP,
  OK,
  play,
  post,
  put,
  REFUSED_AS,
  TWO,
  UNREADABLE,
  WELL,
} from '../../test/vegur.ts'
import { pause, SECOND } from '../lib/clock.ts'

const pool = aDatabase()

const quick = {
  connect: SECOND,
  firstByte: 0.5 * SECOND,
  idle: 0.7 * SECOND,
  boot: 2 * SECOND,
}

const chunked = CHUNKED.toLowerCase()
const heardPut = (headers: string, body: string) =>
  `POST /p HTTP/1.1\r\n${host}${headers}\r\n${body}`

const ABC = '3\r\nabc\r\n'
/** What looks like the end, and then goes on. */
const EARLY_END = '0\r\n5\r\ndefgh\r\n0\r\n\r\n'
const TRAILERS = '0\r\nHead1:val1\r\nhead2: val2\r\n\r\n'
const NO_TRAILERS = '0\r\ntrailer is invalid\r\n\r\n'

const TOO_LARGE = 'HTTP/1.1 413 Too Large\r\n'
const SAID = `${OK}${chunked}\r\n${ABC}`
const BAD_CHUNK =
  'at=error code=H26 desc="Request Error" cause="bad chunk" dyno=web.1 status=400'
const CUT_BY_DYNO =
  'sock=backend at=error code=H18 desc="Server Request Interrupted" dyno=web.1 status=503'
const CLOSED_BY_DYNO =
  'at=error code=H13 desc="Connection closed without response" dyno=web.1 status=503'
const FAILED_AND_KEPT = FAILED.replace('connection: close\r\n', '')
const CUT_BY_CLIENT =
  'sock=client at=warning code=H27 desc="Client Request Interrupted" dyno=web.1 status=499'

const hangUp: ClientScript = (it, dynoHeard) =>
  void dynoHeard.then(() => pause(30)).then(() => it.end())

const cases: Cases = {
  'an early chunk of no length': [
    {
      what: 'of a client, all at once',
      send: put(CHUNKED, `${ABC}${EARLY_END}`),
      dyno: `${OK}${TWO}`,
      heard: '',
      got: UNREADABLE,
    },
    {
      what: 'of a client, before the dyno answers',
      send: put(CHUNKED, ABC),
      dyno: () => {},
      next: later(EARLY_END),
      heard: heardPut(chunked, ABC),
      got: REFUSED_AS[400] ?? '',
      line: BAD_CHUNK,
    },
    {
      what: 'of a client, when the dyno has begun to answer',
      send: put(CHUNKED, ABC),
      dyno: `${OK}${CHUNKED}\r\n${ABC}`,
      next: (it) => it.once('data', () => it.write(EARLY_END)),
      heard: heardPut(chunked, ABC),
      got: SAID,
      line: BAD_CHUNK,
    },
    {
      what: 'of a client, byte for byte',
      send: put(CHUNKED, ABC),
      dyno: () => {},
      next: later('0', '\r', '\n', '5\r\n'),
      heard: heardPut(chunked, ABC),
      got: REFUSED_AS[400] ?? '',
      line: BAD_CHUNK,
    },
    {
      what: 'of a dyno, all at once',
      send: ask(),
      dyno: `${OK}${CHUNKED}\r\n${ABC}${EARLY_END}`,
      got: FAILED,
      line: NO_HTTP,
    },
    {
      what: 'of a dyno, later',
      send: ask(''),
      dyno: inPieces(`${OK}${CHUNKED}\r\n${ABC}`, EARLY_END),
      got: SAID,
      line: CUT_BY_DYNO,
    },
    {
      what: 'of a dyno, byte for byte',
      send: ask(''),
      dyno: inPieces(`${OK}${CHUNKED}\r\n${ABC}`, '0', '\r', '\n', '5\r\n'),
      got: SAID,
      line: CUT_BY_DYNO,
    },
  ],
  'broken chunks': [
    {
      what: 'of a client, later',
      send: put(CHUNKED, ABC),
      dyno: () => {},
      next: later('e\r\nijklmnopqrstuvkjalnfksl\r\n0\r\n\r\n'),
      got: REFUSED_AS[400] ?? '',
      line: BAD_CHUNK,
    },
    {
      what: 'of a dyno, later',
      send: ask(''),
      dyno: inPieces(
        `${OK}${CHUNKED}\r\n${ABC}`,
        'e\r\nijklmnopqrstuvkjalnfksl\r\n0\r\n\r\n',
      ),
      got: SAID,
      line: CUT_BY_DYNO,
    },
    {
      what: 'a client that hangs up in the middle of one',
      send: put(CHUNKED, `${ABC}5\r\ndefg`),
      dyno: () => {},
      next: hangUp,
      heard: heardPut(chunked, '7\r\nabcdefg\r\n'),
      got: '',
      line: CUT_BY_CLIENT,
      by3: { heard: heardPut(chunked, '8\r\nabcdefg') },
    },
    {
      what: 'a dyno that hangs up in the middle of one',
      send: ask(''),
      dyno: (it, clientGot) => {
        it.write(`${OK}${CHUNKED}\r\n${ABC}5\r\ndefg`)
        void clientGot.then(() => it.end())
      },
      got: `${OK}${chunked}\r\n7\r\nabcdefg\r\n`,
      line: CUT_BY_DYNO,
      by3: { got: `${OK}${chunked}\r\n8\r\nabcdefg` },
    },
  ],
  trailers: [
    {
      what: 'each way, and both connections stay',
      send: put(`${CHUNKED}Trailer: head1, head2\r\n`, `${ABC}${TRAILERS}`),
      dyno: `${OK}${CHUNKED}Trailer: head1,head2\r\n\r\n${ABC}${TRAILERS}`,
      enough: /val2\r\n\r\n$/,
      heard: heardPut(
        `${chunked}trailer: head1, head2\r\n`,
        `${ABC}0\r\nhead1: val1\r\nhead2: val2\r\n\r\n`,
      ),
      got: `${OK}${chunked}trailer: head1,head2\r\n\r\n${ABC}0\r\nhead1: val1\r\nhead2: val2\r\n\r\n`,
      line: WELL,
    },
    {
      what: 'each way, with close',
      send: post(`${CHUNKED}Trailer: head1, head2\r\n`, `${ABC}${TRAILERS}`),
      dyno: (it) => it.end(`${OK}${CHUNKED}${CLOSE}\r\n${ABC}${TRAILERS}`),
      heard: heardPut(
        `${chunked}trailer: head1, head2\r\n`,
        `${ABC}0\r\nhead1: val1\r\nhead2: val2\r\n\r\n`,
      ),
      got: `${OK}${chunked}connection: close\r\n\r\n${ABC}0\r\nhead1: val1\r\nhead2: val2\r\n\r\n`,
      line: WELL,
    },
    {
      what: 'of a client that are none, all at once',
      send: put(`${CHUNKED}Trailer: head1\r\n`, `${ABC}${NO_TRAILERS}`),
      dyno: `${OK}${TWO}`,
      heard: '',
      got: UNREADABLE,
    },
    {
      what: 'of a client that are none, later',
      send: put(`${CHUNKED}Trailer: head1\r\n`, ABC),
      dyno: () => {},
      next: later(NO_TRAILERS),
      heard: heardPut(`${chunked}trailer: head1\r\n`, ABC),
      got: REFUSED_AS[400] ?? '',
      line: BAD_CHUNK,
    },
    {
      what: 'of a dyno that are none, all at once',
      send: ask(),
      dyno: `${OK}${CHUNKED}\r\n${ABC}${NO_TRAILERS}`,
      got: FAILED,
      line: NO_HTTP,
    },
    {
      what: 'of a dyno that are none, later',
      send: ask(''),
      dyno: inPieces(`${OK}${CHUNKED}\r\n${ABC}`, NO_TRAILERS),
      got: SAID,
      line: CUT_BY_DYNO,
    },
  ],
  'wrong lengths': [
    {
      what: 'a dyno says less, and stays',
      send: ask(''),
      dyno: `${OK}Content-Length: 5\r\n\r\nok`,
      got: `${OK}content-length: 5\r\n\r\nok`,
      line: 'at=error code=H15 desc="Idle connection" dyno=web.1 status=503',
    },
    {
      what: 'a dyno says less, and hangs up',
      send: ask(''),
      dyno: (it, clientGot) => {
        it.write(`${OK}Content-Length: 5\r\n\r\nok`)
        void clientGot.then(() => it.end())
      },
      got: `${OK}content-length: 5\r\n\r\nok`,
      line: CUT_BY_DYNO,
    },
    {
      what: 'a dyno says more: that is no answer to what is asked next',
      send: ask(''),
      dyno: (() => {
        let nth = 0
        return (it) =>
          it.write(`${OK}${TWO}${nth++ === 0 ? `HTTP/1.1 666 No\r\n${TWO}` : ''}`)
      })(),
      next: (it) => it.once('data', () => it.write(ask())),
      got: `${OK}content-length: 2\r\n\r\nok${OK}content-length: 2\r\nconnection: close\r\n\r\nok`,
      line: WELL,
    },
    {
      what: 'a client says less, and hangs up',
      send: put('Content-Length: 5\r\n', 'ab'),
      dyno: () => {},
      next: hangUp,
      heard: heardPut('content-length: 5\r\n', 'ab'),
      got: '',
      line: CUT_BY_CLIENT,
    },
    {
      what: 'a dyno resets the connection while a body comes: HAProxy 2.6 has no page then',
      send: put('Content-Length: 5\r\n', 'ab'),
      dyno: (it) => it.resetAndDestroy(),
      got: '',
      line: CUT_BY_DYNO,
      by3: { got: FAILED_AND_KEPT, line: CLOSED_BY_DYNO },
    },
    {
      what: 'a dyno closes it while a body comes',
      send: put('Content-Length: 5\r\n', 'ab'),
      dyno: (it) => it.end(),
      got: FAILED,
      line: CLOSED_BY_DYNO,
      by3: { got: FAILED_AND_KEPT },
    },
    {
      what: 'a client says more: that is no request',
      send: put('Content-Length: 2\r\n', 'abcdef\r\n\r\n'),
      dyno: `${OK}${TWO}`,
      heard: heardPut('content-length: 2\r\n', 'ab'),
      got: `${OK}content-length: 2\r\n\r\nok${UNREADABLE}`,
      line: WELL,
    },
  ],
  'an answer while the request is still sent': [
    ['a length', 'Content-Length: 16000\r\n', 'a'.repeat(8000), 'b'.repeat(8000)],
    ['chunks', CHUNKED, ABC, `${ABC}0\r\n\r\n`],
  ].flatMap(([what = '', header = '', first = '', rest = '']) => [
    {
      what: `in ${what}, by a dyno that goes on reading`,
      send: put(header, first),
      // What is asked next may come by another connection.
      dyno: (it: Socket) => {
        const answer = () => it.write(`${TOO_LARGE}${TWO}`)
        answer()
        it.on('data', (text) => /GET \S+ HTTP/.test(String(text)) && answer())
      },
      next: later(rest, ask()),
      got: `${TOO_LARGE}content-length: 2\r\n\r\nok${TOO_LARGE}content-length: 2\r\nconnection: close\r\n\r\nok`,
      line: 'at=info dyno=web.1 status=413',
    },
    {
      what: `in ${what}, by a dyno that hangs up`,
      send: put(header, first),
      dyno: (it: Socket) => void it.end(`HTTP/1.1 304 OK\r\n${CLOSE}\r\n`),
      got: 'HTTP/1.1 304 OK\r\n\r\n',
      // HAProxy hangs up on the client, or waits for the rest of its body. Either way it is to blame.
      line: /^(sock=client at=warning code=H27|at=warning code=H28) .* status=499$/,
    },
    {
      what: `in ${what}, which ends by hanging up`,
      send: put(header, first),
      dyno: (it: Socket) => void it.end(`${OK}\r\n${'b'.repeat(30_000)}`),
      got: `${OK}connection: close\r\n\r\n${'b'.repeat(30_000)}`,
      line: CUT_BY_CLIENT,
    },
  ]),
}

test('bodies break as at Heroku`s router', async (t) => {
  const router = await aRouter(t, pool, { timeouts: quick })
  await play(t, await anExchanger(t, router, APP), cases)
})
