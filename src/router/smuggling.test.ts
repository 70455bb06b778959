/**
 * The published ways to hide a request in another (CL.TE, TE.CL, TE.TE, CL.0, 0.CL, chunk sizes
 * and extensions, line ends; those of HTTP/2 have smuggling-by-http2.test.ts). Router and dyno must
 * see the same requests: none that only the dyno sees, nothing the dyno would have to guess about,
 * and nobody else's answer.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aLeakyProxy } from '../../test/a-leaky-proxy.ts'
import { aRouter, type ARouter, get } from '../../test/a-router.ts'
import {
  aBystander,
  afterAttack,
  assertNothingHidden,
  HIDDEN,
  HIDDEN_WHOLE,
  HOST,
  isPatient,
  TO_HIDE,
} from '../../test/a-smuggler.ts'
import { aStrictRecorder, readRequest } from '../../test/a-strict-recorder.ts'
import { aDatabase } from '../../test/postgres.ts'
import { until } from '../../test/until.ts'
import { whatAClientGets } from '../../test/what-a-client-gets.ts'
import { parseRouterRecord } from '../logs/router-line.ts'

const pool = aDatabase()

const TE = 'Transfer-Encoding: chunked\r\n'

const post = (headers: string, body: string) =>
  `POST /shown HTTP/1.1\r\n${HOST}${headers}\r\n${body}`
/** A length that takes in all of the body. */
const long = (headers: string, body: string) =>
  post(`Content-Length: ${body.length}\r\n${headers}`, body)

const payloads: readonly (readonly [string, string])[] = [
  ['CL.TE', long(TE, TO_HIDE)],
  [
    'CL.TE, the other way round',
    `POST /shown HTTP/1.1\r\n${HOST}${TE}Content-Length: ${TO_HIDE.length}\r\n\r\n${TO_HIDE}`,
  ],
  [
    'TE.CL',
    post(
      `Content-Length: 4\r\n${TE}`,
      `${HIDDEN_WHOLE.length.toString(16)}\r\n${HIDDEN_WHOLE}\r\n0\r\n\r\n`,
    ),
  ],
  [
    'CL.0: a body of GET',
    `GET /shown HTTP/1.1\r\n${HOST}Content-Length: ${HIDDEN_WHOLE.length}\r\n\r\n${HIDDEN_WHOLE}`,
  ],
  [
    'CL.0: a body of HEAD',
    `HEAD /shown HTTP/1.1\r\n${HOST}Content-Length: ${HIDDEN_WHOLE.length}\r\n\r\n${HIDDEN_WHOLE}`,
  ],
  ['0.CL: an expectation', long('Expect: 100-continue\r\n', HIDDEN_WHOLE)],
  ['0.CL: an expectation in disguise', long('Expect: y 100-continue\r\n', HIDDEN_WHOLE)],
  [
    '0.CL: a nameless length',
    `GET /shown HTTP/1.1\r\n${HOST}Content-Length : ${HIDDEN_WHOLE.length}\r\n\r\n${HIDDEN_WHOLE}`,
  ],
  ...[
    'Transfer-Encoding: xchunked\r\n',
    'Transfer-Encoding : chunked\r\n',
    'Transfer-Encoding:\tchunked\r\n',
    'Transfer-Encoding:chunked \r\n',
    ' Transfer-Encoding: chunked\r\n',
    'X: x\nTransfer-Encoding: chunked\r\n',
    'X: x\rTransfer-Encoding: chunked\r\n',
    'Transfer-Encoding\r\n : chunked\r\n',
    'Transfer-Encoding:\r\n chunked\r\n',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n',
    'Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n',
    'Transfer-Encoding: identity, chunked\r\n',
    'Transfer-Encoding: chunked, identity\r\n',
    'Transfer-Encoding: chunked, chunked\r\n',
    'TrAnSFer-EnCODinG: ChuNkeD\r\n',
    'Transfer-Encoding: \x00chunked\r\n',
    'Transfer-Encoding: chunked\x0b\r\n',
    'Transfer-Encoding: \x85chunked\r\n',
    'Transfer_Encoding: chunked\r\n',
    'Transfer-Encoding: "chunked"\r\n',
    'Transfer-Encoding: chunked;q=1\r\n',
    'X-Transfer-Encoding: chunked\r\nTransfer-Encoding: ,chunked\r\n',
  ].map((header) => [`TE.TE: ${JSON.stringify(header)}`, long(header, TO_HIDE)] as const),
  ...[
    '+4',
    '-4',
    '4 4',
    '4,5',
    '4;',
    '0x4',
    '4\x0b',
    '4.0',
    '4e0',
    '\x004',
    '18446744073709551620',
  ].map(
    (length) =>
      [
        `a length of ${JSON.stringify(length)}`,
        post(`Content-Length: ${length}\r\n`, `abcd${HIDDEN_WHOLE}`),
      ] as const,
  ),
  [
    'two lengths, the shorter first',
    post(`Content-Length: 0\r\nContent-Length: ${HIDDEN_WHOLE.length}\r\n`, HIDDEN_WHOLE),
  ],
  [
    'two lengths, the longer first',
    post(`Content-Length: ${HIDDEN_WHOLE.length}\r\nContent-Length: 0\r\n`, HIDDEN_WHOLE),
  ],
  ['a folded length', post(`Content-Length:\r\n 0\r\n`, HIDDEN_WHOLE)],
  ...[
    '0x2',
    '+2',
    '-2',
    '2 ',
    ' 2',
    '2\t',
    '2\r',
    '2;\n',
    '2;a=b\nxx',
    '2;a="\r\n',
    '2;\x00',
    '100000002',
    '0000000000000000002',
    '2_',
  ].map(
    (size) =>
      [
        `a chunk of size ${JSON.stringify(size)}`,
        post(TE, `${size}\r\nab\r\n${TO_HIDE}`),
      ] as const,
  ),
  ['a chunk without its end', post(TE, `2\r\nabXX0\r\n\r\n${HIDDEN}`)],
  ['a chunk that ends by a newline', post(TE, `2\r\nab\n0\r\n\r\n${HIDDEN}`)],
  ['a last chunk that ends by a newline', post(TE, `2\r\nab\r\n0\n\n${HIDDEN}`)],
  [
    'trailers that look like framing',
    post(
      TE,
      `2\r\nab\r\n0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nHost: other\r\n\r\n`,
    ),
  ],
  [
    'headers that Connection names',
    long('Connection: close, Content-Length, Host\r\n', HIDDEN_WHOLE),
  ],
  [
    'an upgrade to a websocket without a key',
    `GET /shown HTTP/1.1\r\n${HOST}Connection: upgrade\r\nUpgrade: websocket\r\n\r\n`,
  ],
  [
    'an upgrade that does not come',
    `GET /shown HTTP/1.1\r\n${HOST}Connection: upgrade\r\nUpgrade: any\r\n\r\n${HIDDEN}`,
  ],
  [
    'an upgrade to HTTP/2',
    `GET /shown HTTP/1.1\r\n${HOST}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n\r\n`,
  ],
  ['line ends in the request line', `GET /shown HTTP/1.1\n${HOST}\n${HIDDEN}`],
  [
    'a request line in another`s path',
    `GET /shown HTTP/1.1\r\nX: /hidden HTTP/1.1\r\n${HOST}\r\n`,
  ],
  ['HTTP/0.9 behind another', `GET /shown HTTP/1.1\r\n${HOST}\r\nGET /hidden\r\n`],
  ['two Hosts', `GET /shown HTTP/1.1\r\n${HOST}Host: other.localhost\r\n\r\n`],
]

/** Of a client that says all that at once. */
const said = (port: number, bytes: string) => whatAClientGets({ port }, bytes, isPatient)

/** How many requests for the path the router says that it sent to the dyno. */
const sent = ({ records }: ARouter, path: string) =>
  records
    .map((it) => parseRouterRecord(it)?.message ?? '')
    .filter((it) => it.includes(`path="${path}"`) && it.includes('dyno=web.1')).length

test('no request is hidden in another', async (t) => {
  const router = await aRouter(t, pool)
  const recorder = await aStrictRecorder(t)
  await router.dyno(await router.app('prey'), recorder)
  await router.look()
  await router.start()
  await router.look()
  const bystander = await aBystander(t, router, 'prey.localhost', recorder)

  const seen: string[] = []
  const attacks = payloads.map(
    ([what, bytes]) => [what, () => said(router.port, bytes)] as const,
  )
  for (const [what, attack] of attacks) {
    await t.test(what, async () => {
      const after = await afterAttack(recorder, attack, bystander)
      assertNothingHidden(after)
      seen.push(...after.requests)
    })
  }
  await bystander('/last')
  await until('the last line has come', () => sent(router, '/last') === 1)
  const count = (path: string) => seen.filter((it) => it.endsWith(` ${path}`)).length
  // One that its client broke off may not have got as far as the dyno.
  assert.ok(count('/shown') <= sent(router, '/shown'))
  // A folded length of 0 is one, and what follows it is a request, to both.
  assert.equal(count('/hidden'), 1)
  assert.equal(sent(router, '/hidden'), 1)
})

/** Of a request that becomes the next one's: whoever speaks next says its host. */
const BEGINNING = 'GET /hidden HTTP/1.1\r\nX: '

for (const [what, bytes] of [
  ['behind the last chunk', post(TE, `0\r\n\r\n${BEGINNING}`)],
  ['behind a length', post('Content-Length: 2\r\n', `ab${BEGINNING}`)],
  ['behind no length', post('', BEGINNING)],
] as const) {
  test(`where a router lets it through, the beginning of a request ${what} is found out`, async (t) => {
    const recorder = await aStrictRecorder(t)
    const { port } = await aLeakyProxy(t, recorder)
    const bystander = async (path: string) =>
      (await get(port, path, { host: 'prey.localhost' })).body

    const after = await afterAttack(recorder, () => said(port, bytes), bystander)

    assert.throws(() => assertNothingHidden(after), assert.AssertionError)
    assert.deepEqual(after, {
      faults: [`an unfinished head: ${JSON.stringify(BEGINNING)}`],
      answer: 'GET /hidden',
      isServed: true,
      goesOn: true,
      isShared: false,
      requests: ['POST /shown', 'GET /hidden'],
    })
  })
}

test('it is found out, too, where its connection ends', async (t) => {
  const recorder = await aStrictRecorder(t)
  const { port } = await aLeakyProxy(t, recorder)
  await said(port, BEGINNING)
  await recorder.hangUp()
  assert.deepEqual(recorder.faults(), [
    `an unfinished head: ${JSON.stringify(BEGINNING)}`,
  ])
})

test('the recorder itself is strict', () => {
  assert.deepEqual(readRequest(`GET /a HTTP/1.1\r\n${HOST}\r\nrest`), {
    line: 'GET /a',
    length: 41,
  })
  for (const [what, bytes] of [
    ['both lengths', long(TE, TO_HIDE)],
    ['a bare newline', `GET /a HTTP/1.1\nHost: a\r\n\r\n`],
    ['an extension', post(TE, '2;a\r\nab\r\n0\r\n\r\n')],
    ['a fold', `GET /a HTTP/1.1\r\n${HOST}A: b\r\n c\r\n\r\n`],
  ] as const) {
    const read = readRequest(bytes)
    assert.ok(read !== 'more' && 'fault' in read, what)
  }
})
