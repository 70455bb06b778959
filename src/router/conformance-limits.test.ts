/**
 * How long and how many things may be, and what is refused, to the byte: see test/vegur.ts. The lengths are
 * HAProxy's where docs/operating/router.md says so.
 */

import { test } from 'node:test'

import { anExchanger } from '../../test/an-exchange.ts'
import { aRouter } from '../../test/a-router.ts'
import { aDatabase } from '../../test/postgres.ts'
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
  NO_HTTP,
  OK,
  play,
  post,
  REFUSED_AS,
  TWO,
  UNREADABLE,
  WELL,
} from '../../test/vegur.ts'

const pool = aDatabase()

const refusal = (status: number, cause: string) =>
  `at=error code=H26 desc="Request Error" cause="${cause}" dyno= status=${status}`
const answered = ended('content-length: 2\r\n', 'ok')
const heardGet = (headers = '') => `GET /p HTTP/1.1\r\n${host}${headers}\r\n`

/** What reaches the dyno, and what of the same kind does not any more. */
const requests = [
  ['a header`s name of 255 bytes', `${'n'.repeat(255)}: 1\r\n`, true],
  ['a longer one', `${'n'.repeat(256)}: 1\r\n`, false],
  ['a header of 8,192 bytes', `h: ${'v'.repeat(8192)}\r\n`, true],
  ['a header of 15,000 bytes', `h: ${'v'.repeat(15_000)}\r\n`, true],
  ['a header of more than 15 KiB', `h: ${'v'.repeat(15_360)}\r\n`, false],
  ['headers of more than 15 KiB', `h: ${'v'.repeat(1023)}\r\n`.repeat(15), false],
  ['a thousand headers', 'h: 1\r\n'.repeat(998), true],
  ['one more', 'h: 1\r\n'.repeat(999), false],
] as const

/** The dyno's whole answer, and whether it is relayed. */
const answers = [
  ['a header`s name of 255 bytes', `${OK}${'n'.repeat(255)}: 1\r\n${TWO}`, true],
  ['a longer one', `${OK}${'n'.repeat(256)}: 1\r\n${TWO}`, false],
  ['a header of 15,000 bytes', `${OK}h: ${'v'.repeat(15_000)}\r\n${TWO}`, true],
  ['a header of more than 15 KiB', `${OK}h: ${'v'.repeat(15_360)}\r\n${TWO}`, false],
  ['nearly a thousand headers', `${OK}${'h: 1\r\n'.repeat(990)}${TWO}`, true],
  ['more', `${OK}${'h: 1\r\n'.repeat(1000)}${TWO}`, false],
  ['a status line of 8 KiB', `HTTP/1.1 200 ${'R'.repeat(8179)}\r\n${TWO}`, true],
  [
    'a status line of more than 15 KiB',
    `HTTP/1.1 200 ${'R'.repeat(15_360)}\r\n${TWO}`,
    false,
  ],
  ['a status that nobody knows', `HTTP/1.1 666 BEAST\r\n${TWO}`, true],
  ['a reason of nothing', `HTTP/1.1 200 \r\n${TWO}`, true],
  ['a status of one digit', `HTTP/1.1 2 OK\r\n${TWO}`, false],
  ['a status of two digits', `HTTP/1.1 20 OK\r\n${TWO}`, false],
  ['a status of four digits', `HTTP/1.1 2000 OK\r\n${TWO}`, false],
  ['a status in letters', `HTTP/1.1 OK OK\r\n${TWO}`, false],
  ['a version that is none', `HTP/1.1 200 OK\r\n${TWO}`, false],
  ['a header without a colon', `${OK}hello\r\n${TWO}`, false],
  ['a name that is no token', `${OK}hello world: 1\r\n${TWO}`, false],
  ['a space before the colon', `${OK}hello : 1\r\n${TWO}`, false],
  ['a length that is none', `${OK}Content-Length: x\r\n\r\nok`, false],
  ['chunked twice', `${OK}${CHUNKED}${CHUNKED}\r\n2\r\nok\r\n0\r\n\r\n`, false],
] as const

const cases: Cases = {
  requests: requests.map(([what, headers, passes]) => ({
    what,
    send: ask(`${CLOSE}${headers}`),
    dyno: `${OK}${TWO}`,
    heard: passes ? heardGet(headers) : '',
    got: passes ? answered : UNREADABLE,
    ...(passes && { line: WELL }),
  })),
  answers: answers.map(([what, answer, passes]) => ({
    what,
    send: ask(),
    dyno: answer,
    got: passes
      ? answer.replace(TWO, 'content-length: 2\r\nconnection: close\r\n\r\nok')
      : FAILED,
    ...(what === 'a reason of nothing' && { by3: { got: answered } }),
    line: passes ? WELL.replace('200', answer.slice(9, 12)) : NO_HTTP,
  })),
  refusals: [
    ...[
      ['no Host', `GET /p HTTP/1.1\r\n\r\n`],
      ['an empty Host', `GET /p HTTP/1.1\r\nHost:\r\n\r\n`],
    ].map(([what = '', send = '']) => ({
      what: `${what}: nobody's line`,
      send,
      dyno: `${OK}${TWO}`,
      heard: '',
      got: REFUSED_AS[400] ?? '',
    })),
    {
      what: 'a method that is too long',
      send: ask('', 'M'.repeat(128)),
      dyno: `${OK}${TWO}`,
      heard: '',
      got: REFUSED_AS[400] ?? '',
      line: refusal(400, 'bad header'),
    },
    {
      what: 'an upgrade to nothing',
      send: ask('Connection: upgrade\r\n'),
      dyno: `${OK}${TWO}`,
      heard: '',
      got: REFUSED_AS[400] ?? '',
      line: refusal(400, 'bad header'),
    },
    {
      what: 'chunks in HTTP/1.0',
      send: `${ask(CHUNKED, 'POST', '1.0')}2\r\nab\r\n0\r\n\r\n`,
      dyno: `${OK}${TWO}`,
      heard: '',
      got: REFUSED_AS[400] ?? '',
      line: refusal(400, 'bad header'),
    },
    {
      what: 'CONNECT',
      send: `CONNECT vegur.localhost:80 HTTP/1.1\r\nHost: vegur.localhost:80\r\n\r\n`,
      dyno: `${OK}${TWO}`,
      heard: '',
      got: REFUSED_AS[405] ?? '',
    },
    {
      what: 'another expectation',
      send: post('Expect: 100-stay\r\nContent-Length: 2\r\n', 'ab'),
      dyno: `${OK}${TWO}`,
      heard: '',
      got: 'HTTP/1.1 417 Expectation failed\r\ncontent-length: 18\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\nExpectation Failed',
      line: refusal(417, 'unsupported expect header value'),
    },
    {
      what: 'what follows a refusal is not looked at',
      send: `${ask('Connection: upgrade\r\n')}${ask('')}`,
      dyno: `${OK}${TWO}`,
      heard: '',
      got: REFUSED_AS[400] ?? '',
      line: refusal(400, 'bad header'),
    },
    ...['hello', 'GET /p', 'GET  HTTP/1.1', ' GET /p HTTP/1.1', 'GET /p HTTP/one'].map(
      (line) => ({
        what: `${line}: no request at all`,
        send: `${line}\r\n${HOST}\r\n`,
        dyno: `${OK}${TWO}`,
        heard: '',
        got: UNREADABLE,
      }),
    ),
  ],
}

test('limits and refusals are what docs say', async (t) => {
  const router = await aRouter(t, pool)
  await play(t, await anExchanger(t, router, APP), cases)
})
