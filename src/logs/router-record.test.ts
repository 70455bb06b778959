/** What of a record is read, whatever a client wrote into it. */

import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { app, aRecord, messageOf } from '../../test/a-router-record.ts'
import { fuzzRuns } from '../../test/fuzz-runs.ts'
import { changed, changes } from '../../test/mutated.ts'
import { parseRouterRecord } from './router-line.ts'
import { anyFields, plainFields } from './router-record.ts'

const RUNS = fuzzRuns({ usual: 5000, soaked: 500_000 })

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

test('the app is known by any entry it may have, or by its id alone', () => {
  for (const entry of [
    app,
    `app12/up//${app}/200`,
    `patient0/up/sticky+routing/${app}/200/60000/`,
    `no_server/H31//${app}/203.0.113.1:80/203.0.113.1:443`,
  ]) {
    assert.equal(parseRouterRecord(aRecord({ entry }))?.app, app, entry)
    assert.equal(parseRouterRecord(aRecord({ entry, code: 'H12' }))?.app, app, entry)
  }
  for (const entry of ['-', 'successor_http', `app0/up/${app}/200`]) {
    assert.equal(parseRouterRecord(aRecord({ entry })), undefined, entry)
  }
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
  // Nobody may have another path told by saying so much that there is no room for the one asked for.
  const long = aRecord({ fwd: String.raw`\"`.repeat(100) })
  assert.match(messageOf(long.slice(0, -100)) ?? '', / path="" /)
})

test('records of no app, and what is none, are left out', () => {
  assert.equal(parseRouterRecord(aRecord({ entry: '-' })), undefined)
  assert.equal(parseRouterRecord('hello'), undefined)
  assert.equal(parseRouterRecord(''), undefined)
})

test('what is read at a glance is what is read in full', () => {
  assert.deepEqual(plainFields(aRecord()), anyFields(aRecord()))
  const by3 = aRecord({ ended: '--/-/-/-' })
  assert.deepEqual(plainFields(by3), plainFields(aRecord()))
  assert.deepEqual(anyFields(by3), plainFields(by3))
  assert.equal(plainFields(aRecord({ uri: '*' })), undefined)
  const inTwo = aRecord({ entry: `app0\n/up//${app}` })
  assert.deepEqual([plainFields(inTwo), anyFields(inTwo)], [undefined, undefined])
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
    RUNS,
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
    RUNS,
  )
  assert.ok(lines > 0)
})
