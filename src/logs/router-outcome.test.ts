/** Which H code each end of a request is, and what its line says then. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aRecord, messageOf, type RecordBut } from '../../test/a-router-record.ts'
import { CODES } from './router-outcome.ts'

const ends: [string, RecordBut, string][] = [
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
  ...[
    ['http/1.1', '0/2000/ conn.flg=0x80080300'],
    ['HTTP/2', '0/2000/ conn.flg=0x80000300'],
    ['another order of spaces', '0/2000/conn.flg=0x300'],
  ].map(([what = '', whoLeft = '']): [string, RecordBut, string] => [
    `the dyno fell silent, by HAProxy 3: ${what}`,
    { ended: `CD/${whoLeft}`, times: '0 0 1 2003' },
    'at=error code=H15 desc="Idle connection" method=GET … status=503',
  ]),
  ...[
    ['the client ended its connection', '0/2000/ conn.flg=0x800c0300'],
    ['it reset it', '0/2000/ conn.flg=0x801c0300'],
    ['it gave its stream up', '1/2000/ conn.flg=0x80000300'],
    ['no silence is so long', '0/2200/ conn.flg=0x80080300'],
    ['silence has no end', '0//-'],
    ['nothing is known of its connection', '0/2000/-'],
    ['something else is told', '0/2000/ h2c.flg=0x1 conn.flg=0x80080300'],
  ].map(([what = '', whoLeft = '']): [string, RecordBut, string] => [
    `the client left, by HAProxy 3: ${what}`,
    { ended: `CD/${whoLeft}`, times: '0 0 1 2003' },
    'sock=client at=warning code=H27 desc="Client Request Interrupted" method=GET … status=499',
  ]),
  [
    'no fault but the dyno`s own status, by HAProxy 3',
    { ended: '--/0/30000/ conn.flg=0x80000300', status: 500 },
    'at=info method=GET … status=500',
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
    'it was ended by order, by HAProxy 3, once an answer was under way',
    { ended: 'KC/0/55000/ conn.flg=0x80080300', status: 500, bytes: '116' },
    'sock=backend at=error code=H18 desc="Server Request Interrupted" method=GET … status=503 bytes=116',
  ],
  [
    'the same, before',
    { ended: 'KC/0/55000/ conn.flg=0x80080300', status: 500, bytes: '0' },
    'at=error code=H13 desc="Connection closed without response" method=GET … status=503 bytes=0',
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
    'a websocket that ended, by HAProxy 3',
    { status: 101, ended: 'CD/0/2000/ conn.flg=0x80080300', times: '0 0 1 2003' },
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
  ...['sD', 'cD'].map((ended): [string, RecordBut, string] => [
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
