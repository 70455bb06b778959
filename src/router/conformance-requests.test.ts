/**
 * Requests as Heroku's router takes them, case by case: see test/vegur.ts. Where HAProxy does otherwise than
 * Heroku the row says so; docs/operating/router.md lists those.
 */

import { test } from 'node:test'

import { anExchanger } from '../../test/an-exchange.ts'
import { aRouter } from '../../test/a-router.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import {
  APP,
  ask,
  type Cases,
  CLOSE,
  ended,
  FAILED,
  host,
  HOST,
  OK,
  play,
  post,
  REFUSED_AS,
  TWO,
  UNREADABLE,
  UPGRADE,
} from '../../test/vegur.ts'
import { parseRouterRecord } from '../logs/router-line.ts'

const pool = aDatabase()

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'

/** What a client gets of what most dynos here say. */
const WHOLE = ended('content-length: 2\r\n', 'ok')
/** What it gets whose expectation nobody here meets. */
const UNEXPECTED =
  'HTTP/1.1 417 Expectation failed\r\ncontent-length: 18\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\nExpectation Failed'
const cases: Cases = {
  'proxy headers': [
    {
      what: 'the query is kept',
      send: `GET /a/b?c=d&e=%20 HTTP/1.1\r\n${HOST}${CLOSE}\r\n`,
      dyno: `${OK}${TWO}`,
      heard: `GET /a/b?c=d&e=%20 HTTP/1.1\r\n${host}\r\n`,
      got: WHOLE,
    },
    {
      what: 'a length is kept',
      send: post('Content-Length: 2\r\n', 'ab'),
      dyno: `${OK}${TWO}`,
      heard: `POST /p HTTP/1.1\r\n${host}content-length: 2\r\n\r\nab`,
      got: WHOLE,
    },
    {
      what: 'without a length there is none',
      send: ask(CLOSE, 'POST'),
      dyno: `${OK}${TWO}`,
      heard: `POST /p HTTP/1.1\r\n${host}\r\n`,
      got: WHOLE,
    },
    {
      what: `a client's Via stays, and ours is added`,
      send: ask(`${CLOSE}Via: 1.0 cache\r\n`),
      dyno: `${OK}${TWO}`,
      heard: `GET /p HTTP/1.1\r\n${host}via: 1.0 cache\r\n\r\n`,
      got: WHOLE,
    },
    {
      what: `of what only a router may say nothing stays`,
      send: ask(
        `${CLOSE}X-Request-Start: 1\r\nX-Request-Id: short\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 443\r\n`,
      ),
      dyno: `${OK}${TWO}`,
      heard: `GET /p HTTP/1.1\r\n${host}\r\n`,
      got: WHOLE,
    },
    {
      what: `a dyno's Server and Via stay, ours is added to Via alone`,
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
      got: WHOLE,
    },
    {
      what: 'HTTP/1.0 gets no 100',
      send: `${ask('Expect: 100-continue\r\nContent-Length: 2\r\n', 'POST', '1.0')}ab`,
      dyno: `${OK}${TWO}`,
      got: WHOLE,
    },
    {
      what: 'an empty expectation is none',
      send: ask(`${CLOSE}Expect:\r\n`),
      dyno: `${OK}${TWO}`,
      heard: `GET /p HTTP/1.1\r\n${host}\r\n`,
      got: WHOLE,
    },
    {
      what: 'another expectation fails',
      send: post('Expect: tea\r\nContent-Length: 2\r\n', 'ab'),
      dyno: `${OK}${TWO}`,
      heard: '',
      got: UNEXPECTED,
    },
    {
      what: `a dyno's own 100 and 103 are relayed`,
      send: ask(),
      dyno: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}${TWO}`,
      got: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${ended('content-length: 2\r\n', 'ok')}`,
    },
    {
      what: 'a second 100 is relayed, too',
      send: post('Content-Length: 2\r\n', 'ab'),
      dyno: `${CONTINUE}${CONTINUE}${OK}${TWO}`,
      heard: `POST /p HTTP/1.1\r\n${host}content-length: 2\r\n\r\nab`,
      got: `${CONTINUE}${CONTINUE}${ended('content-length: 2\r\n', 'ok')}`,
    },
    {
      what: 'a 100 is relayed to HTTP/1.0 as well',
      send: ask('', 'GET', '1.0'),
      dyno: `${CONTINUE}${OK}${TWO}`,
      got: `${CONTINUE}${ended('content-length: 2\r\n', 'ok')}`,
    },
    {
      what: '101 at once, after the router`s own 100',
      send: post(`${UPGRADE}Expect: 100-continue\r\n`, '').replace(CLOSE, ''),
      dyno: (it) => it.end(`HTTP/1.1 101 Switching Protocols\r\n${UPGRADE}\r\nhi`),
      heard: `POST /p HTTP/1.1\r\n${host}connection: upgrade\r\nupgrade: foo\r\n\r\n`,
      got: `HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: foo\r\n\r\nhi`,
    },
    {
      what: 'a final answer, all of the body sent',
      send: post('Expect: 100-continue\r\nContent-Length: 2\r\n', 'ab'),
      dyno: `HTTP/1.1 413 Too Large\r\n${TWO}`,
      heard: `POST /p HTTP/1.1\r\n${host}content-length: 2\r\n\r\nab`,
      got: `${CONTINUE}HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok`,
    },
    {
      what: 'one of two expectations is another',
      send: post('Expect: 100-continue, tea\r\nContent-Length: 2\r\n', 'ab'),
      dyno: `${OK}${TWO}`,
      heard: '',
      got: UNEXPECTED,
    },
    {
      what: 'nor without a body',
      send: ask(`${CLOSE}Expect: tea, 100-continue\r\n`),
      dyno: `${OK}${TWO}`,
      heard: '',
      got: UNEXPECTED,
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
      got: FAILED,
    },
    {
      what: 'Connection without Upgrade is refused',
      send: ask('Connection: upgrade\r\n'),
      dyno: `${OK}${TWO}`,
      heard: '',
      got: REFUSED_AS[400] ?? '',
    },
    {
      what: 'HTTP/2 in plain text is nothing to upgrade to',
      send: ask(
        'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n',
      ),
      dyno: `${OK}${TWO}`,
      heard: `GET /p HTTP/1.1\r\n${host}\r\n`,
      got: `${OK}content-length: 2\r\n\r\nok`,
      enough: /ok$/,
    },
  ],
  'request lines': [
    {
      what: 'a whole address',
      send: `GET http://vegur.localhost/p?q HTTP/1.1\r\n${HOST}${CLOSE}\r\n`,
      dyno: `${OK}${TWO}`,
      heard: `GET /p?q HTTP/1.1\r\n${host}\r\n`,
      got: WHOLE,
    },
    {
      what: 'a whole address without a path',
      send: `GET http://vegur.localhost HTTP/1.1\r\n${HOST}${CLOSE}\r\n`,
      dyno: `${OK}${TWO}`,
      heard: `GET / HTTP/1.1\r\n${host}\r\n`,
      got: WHOLE,
    },
    {
      what: 'a whole address of another host',
      send: `GET http://other.localhost/p HTTP/1.1\r\n${HOST}${CLOSE}\r\n`,
      dyno: `${OK}${TWO}`,
      heard: '',
      got: UNREADABLE,
    },
    {
      what: '8,192 bytes of path',
      send: `GET /${'a'.repeat(8191)} HTTP/1.1\r\n${HOST}${CLOSE}\r\n`,
      dyno: `${OK}${TWO}`,
      heard: /^GET \/a{8191} HTTP/,
      got: WHOLE,
    },
    {
      what: 'more than 8,192 bytes of path',
      send: `GET /${'a'.repeat(8192)} HTTP/1.1\r\n${HOST}${CLOSE}\r\n`,
      dyno: `${OK}${TWO}`,
      heard: '',
      got: REFUSED_AS[400] ?? '',
    },
    {
      what: 'a method of 127 letters',
      send: ask(CLOSE, 'M'.repeat(127)),
      dyno: `${OK}${TWO}`,
      heard: /^M{127} \/p HTTP\/1\.1\r\n/,
      got: WHOLE,
    },
    {
      what: 'a method of 128 letters',
      send: ask(CLOSE, 'M'.repeat(128)),
      dyno: `${OK}${TWO}`,
      heard: '',
      got: REFUSED_AS[400] ?? '',
    },
  ],
}

test('requests are taken as Heroku`s router takes them', async (t) => {
  const router = await aRouter(t, pool)
  await play(t, await anExchanger(t, router, APP), cases)

  await t.test('what is refused has its line', () =>
    until('H26 tells of it', () => router.records.some((it) => REFUSAL.test(lineOf(it)))),
  )
})

const REFUSAL =
  /^at=error code=H26 desc="Request Error" cause="bad header" method=GET path="\/p" .* status=400/

const lineOf = (record: string) => parseRouterRecord(record)?.message ?? ''
