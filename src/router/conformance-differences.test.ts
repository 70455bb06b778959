/**
 * Where HAProxy takes what Heroku's router does not, and what is passed on though it looks like the router's own: see
 * test/vegur.ts and the table in docs/operating/router.md.
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
  HOST,
  host,
  NO_HTTP,
  OK,
  play,
  post,
  TWO,
  UNREADABLE,
  WELL,
} from '../../test/vegur.ts'

const pool = aDatabase()

const GET = `GET /p HTTP/1.1\r\n${host}\r\n`
const WHOLE = ended('content-length: 2\r\n', 'ok')

const cases: Cases = {
  'taken, and written anew': [
    ...[
      `GET\t/p HTTP/1.1\r\n${HOST}`,
      `GET /p\tHTTP/1.1\r\n${HOST}`,
      `GET  /p   HTTP/1.1\r\n${HOST}`,
      `GET /p HTTP/1.2\r\n${HOST}`,
      `GET /p HTTP/2.0\r\n${HOST}`,
      `GET /p HTTP/1.1\r\nHost:\r\n vegur.localhost\r\n`,
    ].map((head) => ({
      what: JSON.stringify(head),
      send: `${head}${CLOSE}\r\n`,
      dyno: `${OK}${TWO}`,
      heard: GET,
      got: WHOLE,
    })),
    {
      what: 'one length, said twice in a line',
      send: post('Content-Length: 2, 2\r\n', 'ab'),
      dyno: `${OK}${TWO}`,
      heard: `POST /p HTTP/1.1\r\n${host}content-length: 2\r\n\r\nab`,
      got: WHOLE,
      line: WELL,
    },
  ],
  'neither host nor chunks to HAProxy 3': [
    {
      what: 'a user in Host',
      send: `GET /p HTTP/1.1\r\nHost: x@vegur.localhost\r\n${CLOSE}\r\n`,
      dyno: `${OK}${TWO}`,
      heard: '',
      got: /^HTTP\/1\.1 404 [^]*There is no app at this address/,
      by3: { got: UNREADABLE },
    },
    {
      what: 'chunks of a dyno whose lines end by a newline alone',
      send: ask(),
      dyno: `${OK}${CHUNKED}\r\n2\nok\n0\n\n`,
      got: ended('transfer-encoding: chunked\r\n', '2\r\nok\r\n0\r\n\r\n'),
      line: WELL,
      by3: { got: FAILED, line: NO_HTTP },
    },
  ],
  'passed on': [
    {
      what: 'what other routers say of a request, and who asks to be known',
      send: ask(
        `${CLOSE}X-Forwarded-Host: a\r\nX-Forwarded-By: b\r\nForwarded: for=c\r\nProxy-Authentication: d\r\n`,
      ),
      dyno: `${OK}${TWO}`,
      heard: `GET /p HTTP/1.1\r\n${host}x-forwarded-host: a\r\nx-forwarded-by: b\r\nforwarded: for=c\r\nproxy-authentication: d\r\n\r\n`,
      got: WHOLE,
    },
    {
      what: 'the same of an answer',
      send: ask(),
      dyno: `${OK}X-Forwarded-Host: a\r\nProxy-Authentication: d\r\n${TWO}`,
      got: ended(
        'x-forwarded-host: a\r\nproxy-authentication: d\r\ncontent-length: 2\r\n',
        'ok',
      ),
    },
  ],
}

test('what differs from Heroku`s router is as it is told', async (t) => {
  await play(t, await anExchanger(t, await aRouter(t, pool), APP), cases)
})
