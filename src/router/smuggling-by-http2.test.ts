/** The published ways to hide a request in another that comes by HTTP/2: as smuggling.test.ts has it. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect as connectByTls } from 'node:tls'

import { aCertificate } from '../../test/a-certificate.ts'
import { aRouter } from '../../test/a-router.ts'
import {
  aBystander,
  afterAttack,
  assertNothingHidden,
  HIDDEN_WHOLE,
  isPatient,
  TO_HIDE,
} from '../../test/a-smuggler.ts'
import { aStrictRecorder } from '../../test/a-strict-recorder.ts'
import { aDatabase } from '../../test/postgres.ts'

const pool = aDatabase()

/** HPACK's literal without indexing, without Huffman: any bytes may be a header. RFC 7541, 6.2.2. */
function literal([name, value]: readonly [string, string]): Buffer {
  return Buffer.concat([Buffer.from([0]), string(name), string(value)])
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1')
  assert.ok(bytes.length < 127)
  return Buffer.concat([Buffer.from([bytes.length]), bytes])
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

const DATA = 0
const HEADERS = 1
const SETTINGS = 4
const END_STREAM = 1
const END_HEADERS = 4

const byHttp2: readonly (readonly [
  string,
  readonly (readonly [string, string])[],
  string,
])[] = [
  ['nothing hidden', [['content-length', '2']], 'ab'],
  ['H2.TE', [['transfer-encoding', 'chunked']], TO_HIDE],
  ['H2.CL, shorter than it is', [['content-length', '0']], HIDDEN_WHOLE],
  ['H2.CL, longer than it is', [['content-length', '500']], HIDDEN_WHOLE],
  [
    'two lengths',
    [
      ['content-length', '0'],
      ['content-length', String(HIDDEN_WHOLE.length)],
    ],
    HIDDEN_WHOLE,
  ],
  ['line ends in a value', [['x', `a\r\nTransfer-Encoding: chunked`]], TO_HIDE],
  ['a newline in a value', [['x', `a\nTransfer-Encoding: chunked`]], TO_HIDE],
  ['line ends in a name', [['x: a\r\ntransfer-encoding', 'chunked']], TO_HIDE],
  ['a colon in a name', [['transfer-encoding: chunked', '']], TO_HIDE],
  ['capital letters in a name', [['Transfer-Encoding', 'chunked']], TO_HIDE],
  ['Connection', [['connection', 'content-length']], HIDDEN_WHOLE],
  ['another host', [['host', 'other.localhost']], HIDDEN_WHOLE],
  [
    'another scheme',
    [
      [':method', 'GET'],
      [':scheme', 'ftp'],
    ],
    '',
  ],
  [
    'an upgrade',
    [
      ['upgrade', 'h2c'],
      ['http2-settings', 'AAMA'],
    ],
    '',
  ],
  [
    'a request in the path',
    [[':path', '/shown HTTP/1.1\r\nHost: a\r\n\r\nGET /hidden']],
    '',
  ],
  ['a space in the path', [[':path', '/shown HTTP/1.1 /hidden']], ''],
  ['a request in the method', [[':method', 'GET /hidden HTTP/1.1\r\nX: y']], ''],
  ['line ends in the host', [[':authority', 'prey-by-two.localhost\r\nX: y']], ''],
  [
    'a pseudo-header twice',
    [
      [':path', '/hidden'],
      [':path', '/shown'],
    ],
    '',
  ],
]

test('no request is hidden in one that comes by HTTP/2', async (t) => {
  const router = await aRouter(t, pool, { byTls: true })
  const recorder = await aStrictRecorder(t)
  const app = await router.app('prey-by-two')
  await router.dyno(app, recorder)
  await router.domain(app, 'prey.example.com', await aCertificate(['prey.example.com']))
  await router.look()
  await router.start()
  await router.look()

  const bystander = await aBystander(t, router, 'prey-by-two.localhost', recorder)

  for (const [what, headers, body] of byHttp2) {
    await t.test(what, async () => {
      const usual = [
        [':method', 'POST'],
        [':scheme', 'https'],
        [':path', '/shown'],
        [':authority', 'prey-by-two.localhost'],
      ] as const
      const own = new Set(headers.map(([name]) => name))
      const all = [...usual.filter(([name]) => !own.has(name)), ...headers]
      const block = Buffer.concat(all.map(literal))
      const ends = body === '' ? END_STREAM : 0
      const bytes = Buffer.concat([
        Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
        frame(SETTINGS, 0, 0, Buffer.alloc(0)),
        frame(HEADERS, END_HEADERS | ends, 1, block),
        ...(body === '' ? [] : [frame(DATA, END_STREAM, 1, Buffer.from(body))]),
      ])
      const attack = () => saidByTls(router.tlsPort, bytes)
      const after = await afterAttack(recorder, attack, bystander)
      assertNothingHidden(after)
      const { requests } = after
      if (what === 'nothing hidden') assert.ok(requests.includes('POST /shown'))
      assert.ok(
        !requests.some((it) => it.includes('/hidden')),
        `the dyno saw ${requests.join()}`,
      )
    })
  }
})

/** Of a client that says all that at once. */
function saidByTls(port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    let got = ''
    const socket = connectByTls(
      {
        host: '127.0.0.1',
        port,
        servername: 'prey.example.com',
        ALPNProtocols: ['h2'],
        rejectUnauthorized: false,
      },
      () => socket.write(bytes),
    )
    socket.setEncoding('latin1').on('data', (text: string) => (got += text))
    socket.on('error', () => {}).on('close', () => resolve(got))
    isPatient(socket)
  })
}
