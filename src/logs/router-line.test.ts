/** What the line of a request says, and what is counted of it. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  app,
  aRecord,
  id,
  messageOf,
  type RecordBut,
} from '../../test/a-router-record.ts'
import type { AppId } from '../model/ids.ts'
import { parseRouterRecord } from './router-line.ts'

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
  const line = (but: RecordBut) => parseRouterRecord(aRecord(but), legacy)?.message
  assert.ok(line({})?.endsWith(' status=200 bytes=387 protocol=http'))
  assert.ok(line({ version: '2', tls: 'https TLSv1.3' })?.endsWith(' protocol=https'))
  assert.ok(messageOf(aRecord())?.endsWith(' tls=false'))
})

const counts: [string, RecordBut, string][] = [
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

function measureOf(but: RecordBut) {
  return parseRouterRecord(aRecord(but))?.measure
}

test('a request that came to the wrong region tells who sent it', () => {
  const record = aRecord({ code: 'H31', status: 421, ended: 'LR', agent: 'curl/7.88.1' })
  assert.match(
    messageOf(record) ?? '',
    /code=H31 .* status=421 .* agent="curl\/7\.88\.1"$/,
  )
})
