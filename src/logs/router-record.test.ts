import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { AppId } from '../model/ids.ts'
import * as fc from 'fast-check'

import { changed, changes } from '../../test/mutated.ts'
import { anyFields, CODES, parseRouterRecord, plainFields } from './router-record.ts'

const RUNS = process.env['MAYFLY_SOAK'] === undefined ? 5000 : 500_000
const app = '11111111-1111-4111-8111-111111111111'
const server = 'web.2:22222222-2222-4222-8222-222222222222'
const id = 'f024d9d7-8cb6-47c0-b69f-6247f67b59d4'

/** As HAProxy writes it; only what the test is about differs. */
function aRecord(
  but: {
    app?: string
    server?: string
    times?: string
    length?: string
    method?: string
    status?: number
    ended?: string
    code?: string
    uri?: string
    host?: string
    src?: string
    fwd?: string
    agent?: string
    version?: string
    tls?: string
  } = {},
): string {
  const it = {
    app,
    server,
    times: '0 2 1 21',
    length: ' -',
    method: 'GET',
    status: 200,
    ended: '--',
    code: '-',
    uri: '/a?b=c',
    host: 'my-app.localhost:8080',
    src: ' src=127.0.0.1',
    fwd: '',
    agent: '',
    version: '1',
    tls: 'http -',
    ...but,
  }
  return `1795399938168555 ${it.app} ${it.times} ${it.status} 387${it.length} ${it.ended} ${it.code} ${it.version} ${it.tls} method=${it.method} request_id=${id} dyno=${it.server}${it.src} agent="${it.agent}" host="${it.host}" fwd="${it.fwd}" path="${it.uri}"`
}

const messageOf = (record: string) => parseRouterRecord(record)?.message

test('a request answered by a dyno', () => {
  assert.deepEqual(parseRouterRecord(aRecord()), {
    app,
    at: Date.parse('2026-11-23T02:12:18.168Z'),
    message: `at=info method=GET path="/a?b=c" host=my-app.localhost:8080 request_id=${id} fwd="127.0.0.1" dyno=web.2 connect=1ms service=18ms status=200 bytes=387 protocol=http1.1 tls=false`,
    measure: { status: 200, code: undefined, service: 18, connect: 1, queue: 2 },
  })
})

const protocols: [string, string, string][] = [
  ['1', 'http -', 'protocol=http1.1 tls=false'],
  ['1', 'https TLSv1.2', 'protocol=http1.1 tls=true tls_version=tls1.2'],
  ['2', 'https TLSv1.3', 'protocol=http2.0 tls=true tls_version=tls1.3'],
  ['1', 'https -', 'protocol=http1.1 tls=true tls_version=unknown'],
]

for (const [version, tls, expected] of protocols) {
  test(`HTTP/${version} and TLS ${tls} are told as ${expected}`, () => {
    assert.ok(messageOf(aRecord({ version, tls }))?.endsWith(` ${expected}`))
  })
}

test('an app may have lines as the legacy router wrote them', () => {
  const legacy = new Set([app as AppId])
  const line = (but: Parameters<typeof aRecord>[0]) =>
    parseRouterRecord(aRecord(but), legacy)?.message
  assert.ok(line({})?.endsWith(' status=200 bytes=387 protocol=http'))
  assert.ok(line({ version: '2', tls: 'https TLSv1.3' })?.endsWith(' protocol=https'))
  assert.ok(messageOf(aRecord())?.endsWith(' tls=false'))
})

const counts: [string, Parameters<typeof aRecord>[0], string][] = [
  ['an answer whose length was not told', {}, '387'],
  ['one whose length was', { length: ' 13' }, '13'],
  ['by a router that does not say', { length: '' }, '387'],
  ['one that was cut', { length: ' 500', ended: 'SD' }, '387'],
  ['a head alone, by method', { method: 'HEAD', length: ' 13' }, '0'],
  ['a head alone, by status', { status: 204 }, '0'],
  ['another', { status: 304, length: ' 13' }, '0'],
  ['no dyno: a page of ours', { server: '<NOSRV>', code: 'H14', ended: 'LR' }, ''],
  ['no dyno: a client that left', { server: '<NOSRV>', status: -1, ended: 'CR' }, ''],
  ['a dyno that takes no connection', { status: 503, ended: 'SC' }, '0'],
  ['in no time', { status: 503, ended: 'sC' }, '0'],
  ['one that says nothing', { code: 'H12', status: 503, ended: 'LH' }, '0'],
  ['one that closes', { status: 502, ended: 'SH' }, '0'],
  ['one that speaks no HTTP', { status: 502, ended: 'PH' }, '0'],
  ['a cookie that is too long', { status: 502, ended: 'LH', length: ' 13' }, '0'],
  ['a client that did not wait', { status: -1, ended: 'CH' }, '0'],
  ['a client that left as it was answered', { ended: 'CD' }, '387'],
  ['a dyno that broke off', { ended: 'SD' }, '387'],
  ['a dyno that fell silent at the end', { ended: 'sL' }, '387'],
  ['a websocket', { status: 101, ended: 'CD' }, '387'],
]

for (const [what, but, bytes] of counts) {
  test(`how much came of a dyno: ${what}`, () => {
    assert.ok(messageOf(aRecord(but))?.includes(` bytes=${bytes} protocol=`))
  })
}

test('what is counted of a request is what its line says', () => {
  assert.deepEqual(measureOf({ status: -1, ended: 'CH' }), {
    status: 499,
    code: 27,
    service: 18,
    connect: 1,
    queue: 2,
  })
  const held = measureOf({ times: '1223 0 1 1226' })
  assert.deepEqual([held?.queue, held?.service], [1223, 2], 'held until a dyno was up')
  assert.deepEqual(measureOf({ code: 'H14', status: 503, times: '0 -1 -1 0' }), {
    status: 503,
    code: 14,
    service: undefined,
    connect: undefined,
    queue: undefined,
  })
})

test('how long a websocket was open is no service time, however it ended', () => {
  const times = '0 0 1 900021'
  for (const ended of ['--', 'CD', 'sD']) {
    const measure = measureOf({ status: 101, times, ended })
    assert.equal(measure?.service, undefined, ended)
  }
  const silent = { status: 101, times, ended: 'sD' }
  assert.match(
    messageOf(aRecord(silent)) ?? '',
    / code=H15 .* service=900020ms status=503/,
  )
  assert.equal(measureOf(silent)?.code, 15)
})

function measureOf(but: Parameters<typeof aRecord>[0]) {
  return parseRouterRecord(aRecord(but))?.measure
}

const ends: [string, Parameters<typeof aRecord>[0], string][] = [
  [
    'nothing wrong',
    {},
    'at=info method=GET … dyno=web.2 connect=1ms service=18ms status=200',
  ],
  [
    'a page by the state of the app',
    { code: 'H14', status: 503, ended: 'LR', server: '<NOSRV>', times: '0 -1 -1 0' },
    'at=error code=H14 desc="No web processes running" method=GET … dyno= connect= service= status=503',
  ],
  [
    'maintenance',
    { code: 'H80', status: 503, ended: 'LR' },
    'at=info code=H80 desc="Maintenance mode" method=GET … status=503',
  ],
  [
    'a blank app',
    { code: 'H81', status: 502, ended: 'LR' },
    'at=info code=H81 desc="Blank app" method=GET … status=502',
  ],
  [
    'an expectation of which we know nothing',
    { status: 417, ended: 'LR', server: '<NOSRV>' },
    'at=error code=H26 desc="Request Error" cause="unsupported expect header value" method=GET … status=417',
  ],
  [
    'a method that is not passed on',
    { status: 405, ended: 'PR', server: '<NOSRV>' },
    'at=error code=H26 desc="Request Error" cause="method not allowed" method=GET … status=405',
  ],
  [
    'a body that never came',
    { status: 408, ended: 'cR', server: '<NOSRV>' },
    'at=error code=H26 desc="Request Error" cause="request body timeout" method=GET … status=408',
  ],
  [
    'a request that is refused',
    { status: 400, ended: 'PR', server: '<NOSRV>' },
    'at=error code=H26 desc="Request Error" cause="bad header" method=GET … status=400',
  ],
  [
    'it waited for a dyno`s place in vain',
    { status: 503, ended: 'sQ', times: '0 -1 -1 5001' },
    'at=error code=H99 desc="Platform error" method=GET … status=503',
  ],
  [
    'HAProxy failed',
    { status: 500, ended: 'IH' },
    'at=error code=H99 desc="Platform error" method=GET … status=503',
  ],
  [
    'the dyno was taken out with what it had',
    { ended: 'DD' },
    'sock=backend at=error code=H18 desc="Server Request Interrupted" method=GET … status=503',
  ],
  [
    'the same, as it came to its end',
    { ended: 'DL' },
    'sock=backend at=error code=H18 desc="Server Request Interrupted" method=GET … status=503',
  ],
  [
    'the same, before the dyno had answered',
    { status: -1, ended: 'DH' },
    'at=error code=H13 desc="Connection closed without response" method=GET … status=503',
  ],
  [
    'a body that is none, once its beginning was passed on',
    { status: 400, ended: 'PH' },
    'at=error code=H26 desc="Request Error" cause="bad chunk" method=GET … status=400',
  ],
  [
    'a body that is none, once its answer was under way',
    { ended: 'PD', method: 'POST' },
    'at=error code=H26 desc="Request Error" cause="bad chunk" method=POST … status=400',
  ],
  [
    'an answer that is none, once it was under way, by HAProxy 3',
    { ended: 'PD' },
    'sock=backend at=error code=H18 desc="Server Request Interrupted" method=GET … status=503',
  ],
  [
    'a cookie that is too long',
    { status: 502, ended: 'LH' },
    'at=error code=H25 desc="HTTP restriction: oversized cookie" method=GET … status=502',
  ],
  [
    'the dyno closed without a word',
    { status: 502, ended: 'SH' },
    'at=error code=H13 desc="Connection closed without response" method=GET … status=503',
  ],
  [
    'no first byte in time',
    { code: 'H12', status: 503, ended: 'LH', times: '0 0 1 30001' },
    'at=error code=H12 desc="Request timeout" method=GET … connect=1ms service=30000ms status=503',
  ],
  [
    'no first byte after a body in time',
    { status: 504, ended: 'sH' },
    'at=error code=H12 desc="Request timeout" method=GET … status=503',
  ],
  [
    'all refuse',
    { status: 503, ended: 'SC', times: '0 0 -1 1' },
    'at=error code=H21 desc="Backend connection refused" method=GET … connect= service= status=503',
  ],
  [
    'none connects in time',
    { status: 503, ended: 'sC', times: '0 0 -1 5001' },
    'at=error code=H19 desc="Backend connection timeout" method=GET … connect=5001ms service= status=503',
  ],
  [
    'no HTTP',
    { status: 502, ended: 'PH' },
    'at=error code=H17 desc="Poorly formatted HTTP response" method=GET … status=503',
  ],
  [
    'the dyno broke off',
    { ended: 'SD' },
    'sock=backend at=error code=H18 desc="Server Request Interrupted" method=GET … status=503',
  ],
  [
    'the dyno fell silent',
    { ended: 'sD' },
    'at=error code=H15 desc="Idle connection" method=GET … status=503',
  ],
  [
    'the client left',
    { status: -1, ended: 'CH' },
    'sock=client at=warning code=H27 desc="Client Request Interrupted" method=GET … status=499',
  ],
  [
    'the client fell silent',
    { ended: 'cD' },
    'at=warning code=H28 desc="Client Connection Idle" method=GET … status=499',
  ],
  [
    'it was ended by order, as its dyno was dead',
    { ended: 'KD' },
    'sock=backend at=error code=H18 desc="Server Request Interrupted" method=GET … status=503',
  ],
  [
    'the same, as it came to its end',
    { ended: 'KL' },
    'sock=backend at=error code=H18 desc="Server Request Interrupted" method=GET … status=503',
  ],
  [
    'the same, before the dyno had answered',
    { status: -1, ended: 'KH' },
    'at=error code=H13 desc="Connection closed without response" method=GET … status=503',
  ],
  [
    'HAProxy had no room',
    { status: 500, ended: 'RC' },
    'at=error code=H99 desc="Platform error" method=GET … status=503',
  ],
  [
    'a websocket that its client closed',
    { status: 101, ended: 'CD' },
    'at=info … status=101',
  ],
  [
    'a websocket whose dyno is dead',
    { status: 101, ended: 'KD' },
    'at=info … status=101',
  ],
  [
    'a websocket that its dyno closed',
    { status: 101, ended: 'SD' },
    'at=info … status=101',
  ],
  ...['sD', 'cD'].map((ended): [string, Parameters<typeof aRecord>[0], string] => [
    `a silent websocket: ${ended}`,
    { status: 101, ended },
    'at=error code=H15 desc="Idle connection" … status=503',
  ]),
]

for (const [what, but, expected] of ends) {
  test(`how it ended: ${what}`, () => {
    const message = messageOf(aRecord(but)) ?? ''
    for (const piece of expected.split('…'))
      assert.ok(message.includes(piece.trim()), message)
    assert.ok(message.startsWith(expected.split('…')[0]?.trim() ?? ''), message)
  })
}

test('each of HAProxy`s ends that the table knows has a case', () => {
  const states = ends.map(([, but]) => but?.ended ?? '')
  for (const known of Object.keys(CODES)) {
    const its = states.filter((it) =>
      known.endsWith('-')
        ? it.startsWith(known.charAt(0)) && !Object.hasOwn(CODES, it)
        : it === known,
    )
    assert.ok(its.length > 0, known)
  }
})

test('what a client sends cannot forge a field or a line', () => {
  const message = messageOf(
    aRecord({
      host: String.raw`my-app.localhost:1 status=200 a=\"b\"`,
      fwd: String.raw`1.2.3.4\" status=999 , 10.0.0.1, `,
    }),
  )
  assert.match(message ?? '', / host=my-app\.localhost:1_status=200_a=_b_ request_id=/)
  assert.match(
    message ?? '',
    / fwd="1\.2\.3\.4 status=999 ,10\.0\.0\.1,127\.0\.0\.1" dyno=/,
  )
})

test('what a terminal takes for an order does not come to one', () => {
  const clear = '\x1b[2J\x1b]0;pwn\x07\x7f\x9b1m\xe2\x82\xac'
  const shown = '_[2J_]0;pwn___1m___'
  const lines = [
    { fwd: `${clear}, ` },
    { fwd: `1.2.3.4, ${clear}, ` },
    { uri: `/${clear}` },
    { code: 'H31', agent: clear },
  ].map((but) => messageOf(aRecord(but)) ?? '')
  assert.ok(lines[0]?.includes(` fwd="${shown},127.0.0.1" `))
  assert.ok(lines[1]?.includes(` fwd="1.2.3.4,${shown},127.0.0.1" `))
  assert.ok(lines[2]?.includes(` path="/${shown}" `))
  assert.ok(lines[3]?.endsWith(` agent="${shown}"`))
})

test('the chain of addresses stands without spaces', () => {
  const message = messageOf(aRecord({ fwd: '80.187.107.115, 167.82.231.29, ' }))
  assert.match(message ?? '', / fwd="80\.187\.107\.115,167\.82\.231\.29,127\.0\.0\.1" /)
})

test('a router of before an update tells the whole chain at once', () => {
  const message = messageOf(aRecord({ src: '', fwd: '80.187.107.115, 127.0.0.1' }))
  assert.match(message ?? '', / fwd="80\.187\.107\.115,127\.0\.0\.1" /)
})

test('a request that came to the wrong region tells who sent it', () => {
  const record = aRecord({ code: 'H31', status: 421, ended: 'LR', agent: 'curl/7.88.1' })
  assert.match(
    messageOf(record) ?? '',
    /code=H31 .* status=421 .* agent="curl\/7\.88\.1"$/,
  )
})

test('an absolute request line shows path and query', () => {
  const uri = 'http://my-app.localhost:8080/x?y'
  assert.match(messageOf(aRecord({ uri })) ?? '', / path="\/x\?y" /)
})

test('of a record that HAProxy cut the line has what there is', () => {
  const whole = aRecord({ uri: '/abc' })
  for (let end = whole.indexOf(' host="') + 7; end < whole.length; end++) {
    const line = parseRouterRecord(whole.slice(0, end))
    assert.ok(line, whole.slice(0, end))
    assert.match(line.message, /^at=info method=GET path="[^"]*" host=\S* request_id=f0/)
    assert.equal(line.measure.status, 200)
  }
  const odd = aRecord({ uri: String.raw`/a\"b` })
  assert.match(messageOf(odd.slice(0, -3)) ?? '', / path="\/a" /)
})

test('records of no app, and what is none, are left out', () => {
  assert.equal(parseRouterRecord(aRecord({ app: '-' })), undefined)
  assert.equal(parseRouterRecord('hello'), undefined)
  assert.equal(parseRouterRecord(''), undefined)
})

test('what is read at a glance is what is read in full', () => {
  assert.deepEqual(plainFields(aRecord()), anyFields(aRecord()))
  assert.equal(plainFields(aRecord({ uri: '*' })), undefined)
  let plain = 0
  const right = Buffer.from(aRecord(), 'latin1')
  fc.assert(
    fc.property(changes, (all) => {
      const record = changed(right, all).toString('latin1')
      const fields = plainFields(record)
      if (!fields) return
      plain += 1
      assert.deepEqual(fields, anyFields(record))
    }),
    { numRuns: RUNS, ...(process.env['MAYFLY_SOAK'] === undefined && { seed: 1 }) },
  )
  assert.ok(plain > 0)
})

test('a record of any bytes is one line of an app, or none', () => {
  const right = Buffer.from(aRecord(), 'latin1')
  let lines = 0
  fc.assert(
    fc.property(changes, (all) => {
      const line = parseRouterRecord(changed(right, all).toString('latin1'))
      if (!line) return
      lines += 1
      assert.match(line.app, /^[-0-9a-f]{36}$/)
      assert.match(
        line.message,
        /^(sock=\w+ )?at=\w+ [ -~]* bytes=\d* protocol=http[ -~]*$/,
      )
      assert.ok(line.measure.status >= 0)
    }),
    { numRuns: RUNS, ...(process.env['MAYFLY_SOAK'] === undefined && { seed: 1 }) },
  )
  assert.ok(lines > 0)
})
