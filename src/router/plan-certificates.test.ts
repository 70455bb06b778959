import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  addition,
  listedAs,
  listText,
  parseLiveCertificates,
  removals,
} from './plan-certificates.ts'
import { routerPaths } from './router-paths.ts'

const paths = routerPaths('/r')
const list = paths.certificateList
const nothing = { listed: [], known: new Set<string>(), begun: undefined }

function listed(...hostnames: string[]) {
  const served = hostnames.map((hostname) => ({ hostname, fingerprint: 'f0' }))
  return listedAs(served, paths)
}

test('a file is named for its host and its content, however long the host is', () => {
  const [one, other] = listed('www.example.com', 'other.example.com')
  assert.match(one?.file ?? '', /^\/r\/certificates\/[0-9a-f]{40}\.pem$/)
  assert.equal(one?.filters, 'www.example.com')
  assert.notEqual(one?.file, other?.file)
  const [renewed] = listedAs([{ hostname: 'www.example.com', fingerprint: 'f1' }], paths)
  assert.notEqual(one?.file, renewed?.file)
  const [longest] = listed(`${'a'.repeat(63)}.`.repeat(4).slice(0, 253))
  assert.equal(longest?.file.length, one?.file.length)
})

test(`a wildcard's is not for hosts that have their own, unless they are too many`, () => {
  const [wild] = listed(
    '*.example.com',
    'www.example.com',
    'a.b.example.com',
    'b.example.com',
  )
  assert.equal(wild?.filters, '*.example.com !www.example.com !b.example.com')
  const [alone] = listed('*.example.com')
  assert.notEqual(alone?.file, wild?.file, 'another line must be another file')
  const many = Array.from({ length: 41 }, (_, n) => `h${n}.example.com`)
  assert.equal(listed('*.example.com', ...many)[0]?.filters, '*.example.com')
})

test('a wildcard is for a host whose own certificate is left out', () => {
  const served = ['*.example.com', 'a.example.com', 'b.example.com'].map((hostname) => ({
    hostname,
    fingerprint: 'f0',
  }))
  const [wild] = listedAs(served, paths, (it) => it.hostname === 'a.example.com')
  assert.equal(wild?.filters, '*.example.com !b.example.com')
})

test('what is missing is added whole, and what is too many goes', () => {
  const [it] = listed('a.example.com')
  const [old] = listed('old.example.com')
  assert.ok(it && old)
  const { file } = it
  const added = [
    `set ssl cert ${file} <<\nPEM\n`,
    `commit ssl cert ${file}`,
    `abort ssl cert ${file}`,
    `add ssl crt-list ${list} <<\n${file} a.example.com\n`,
  ]
  const [first, ...rest] = addition(it, 'PEM\n', nothing, list)
  assert.equal(first, `new ssl cert ${file}`)
  assert.deepEqual(rest, added)
  assert.deepEqual(addition(it, 'PEM\n', { known: new Set([file]) }, list), added)
  const live = {
    listed: [old, it],
    known: new Set([old.file, it.file]),
    begun: undefined,
  }
  assert.deepEqual(removals([it], live, list), [
    `del ssl crt-list ${list} ${old.file}`,
    `del ssl cert ${old.file}`,
  ])
})

test(`a host's certificate goes once the next is there, and what was refused at once`, () => {
  const [old] = listed('a.example.com')
  const wanted = listedAs([{ hostname: 'a.example.com', fingerprint: 'f1' }], paths)
  const [next] = wanted
  assert.ok(old && next)
  const before = {
    listed: [old],
    known: new Set([old.file, next.file]),
    begun: undefined,
  }
  assert.deepEqual(removals(wanted, before, list), [`del ssl cert ${next.file}`])
  const there = { ...before, listed: [old, next] }
  assert.deepEqual(removals(wanted, there, list), [
    `del ssl crt-list ${list} ${old.file}`,
    `del ssl cert ${old.file}`,
  ])
  assert.deepEqual(
    removals(wanted, { ...there, listed: wanted, known: new Set() }, list),
    [],
  )
})

test('what HAProxy 2.6 answers is understood', () => {
  const answer = `# ${list}
/keys/default.pem:1
/r/certificates/_.example.com-f0-1.pem:3 *.example.com !www.example.com

`
  const known = `# transaction
*/r/certificates/x.pem
# filename
/r/certificates/x.pem
/keys/default.pem

`
  assert.deepEqual(parseLiveCertificates(`${answer}${known}`, paths), {
    listed: [
      {
        file: '/r/certificates/_.example.com-f0-1.pem',
        filters: '*.example.com !www.example.com',
      },
    ],
    known: new Set(['/r/certificates/x.pem']),
    begun: '/r/certificates/x.pem',
  })
})

test('the list begins with what clients get that name no host', () => {
  const [a] = listed('a.example.com')
  assert.equal(
    listText('/keys/default.pem', listed('a.example.com')),
    `/keys/default.pem\n${a?.file} a.example.com\n`,
  )
})
