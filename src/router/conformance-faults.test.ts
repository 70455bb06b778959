/**
 * What dynos and clients do wrong that is told apart by little: see test/vegur.ts. The time to a first byte is much
 * shorter than that of silence here, so that the one cannot be taken for the other.
 */

import { test } from 'node:test'

import { aRouter } from '../../test/a-router.ts'
import { aDatabase } from '../../test/postgres.ts'
import {
  ask,
  type Cases,
  CHUNKED,
  ended,
  FAILED,
  host,
  NO_HTTP,
  OK,
  playAtOnce,
  post,
  REFUSED_AS,
  TWO,
  UPGRADE,
  WELL,
} from '../../test/vegur.ts'
import { SECOND } from '../lib/clock.ts'

const pool = aDatabase()

/** Long enough for all that happens at once to do so in time on a machine that is slow. */
const quick = {
  connect: 5 * SECOND,
  firstByte: 1.6 * SECOND,
  idle: 4 * SECOND,
  boot: 8 * SECOND,
}

const H13 =
  'at=error code=H13 desc="Connection closed without response" dyno=web.1 status=503'
const REFUSED =
  'at=error code=H26 desc="Request Error" cause="bad header" dyno= status=400'
const SWITCHED = `HTTP/1.1 101 Switching Protocols\r\n${UPGRADE}\r\n`

const upgradeTo = (...protocols: readonly string[]) =>
  ask(`Connection: upgrade\r\n${protocols.map((it) => `Upgrade: ${it}\r\n`).join('')}`)

const cases: Cases = {
  'a dyno without a whole answer': [
    ...['zz\r\nok\r\n0\r\n\r\n', '2\r\nokay\r\n0\r\n\r\n'].map((chunks) => ({
      what: `a broken chunk right after its head: ${JSON.stringify(chunks)}`,
      send: ask(),
      dyno: `${OK}${CHUNKED}\r\n${chunks}`,
      got: FAILED,
      line: NO_HTTP,
    })),
    {
      what: 'the same after a body',
      send: post('Content-Length: 2\r\n', 'ab'),
      dyno: `${OK}${CHUNKED}\r\nzz\r\n`,
      got: FAILED,
      line: NO_HTTP,
    },
    {
      what: 'nothing, and it hangs up',
      send: ask(),
      dyno: (it) => it.end(),
      got: FAILED,
      line: H13,
    },
    {
      what: 'nothing, and it resets the connection',
      send: ask(),
      dyno: (it) => it.resetAndDestroy(),
      got: FAILED,
      line: H13,
    },
    {
      what: 'half a head, and it hangs up',
      send: ask(),
      dyno: (it) => it.end(`${OK}Content-Len`),
      got: FAILED,
      line: H13,
    },
  ],
  'a dyno that says 103': [
    {
      what: 'and answers later than the first byte may be',
      send: ask(),
      dyno: (it) => {
        it.write('HTTP/1.1 103 Early Hints\r\n\r\n')
        setTimeout(() => it.write(`${OK}${TWO}`), 2.8 * SECOND)
      },
      got: `HTTP/1.1 103 Early Hints\r\n\r\n${ended('content-length: 2\r\n', 'ok')}`,
      line: WELL,
    },
    {
      what: 'and nothing more, for which it has the time of silence',
      send: ask(),
      dyno: 'HTTP/1.1 103 Early Hints\r\n\r\n',
      got: `HTTP/1.1 103 Early Hints\r\n\r\n${FAILED}`,
      line: 'at=error code=H12 desc="Request timeout" dyno=web.1 status=503',
    },
  ],
  'what is to be upgraded to': [
    ...['', '///', 'a b', 'foo/', '/1', 'foo/1/2', ',', 'a@b', 'foo;q=1'].map((what) => ({
      what: `no list of protocols: "${what}"`,
      send: upgradeTo(what),
      dyno: SWITCHED,
      heard: '',
      got: REFUSED_AS[400] ?? '',
      line: REFUSED,
    })),
    {
      what: 'one line of two is no list of protocols',
      send: upgradeTo('foo', '"bar"'),
      dyno: SWITCHED,
      heard: '',
      got: REFUSED_AS[400] ?? '',
      line: REFUSED,
    },
    ...["!#$%&'*+-.^_`|~09azAZ", 'foo/2.0', 'foo, bar/1 ,\tbaz', 'foo,,bar'].map(
      (what) => ({
        what: `protocols: "${what}"`,
        send: upgradeTo(what),
        dyno: `${OK}${TWO}`,
        heard: `GET /p HTTP/1.1\r\n${host}connection: upgrade\r\nupgrade: ${what}\r\n\r\n`,
        got: `${OK}content-length: 2\r\n\r\nok`,
        enough: /ok$/,
        line: WELL,
      }),
    ),
  ],
}

test(
  'who is at fault is told as by Heroku`s router',
  { concurrency: true },
  async (t) => {
    await playAtOnce(t, await aRouter(t, pool, { timeouts: quick }), cases)
  },
)
