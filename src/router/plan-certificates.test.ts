import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  listedAs,
  listText,
  parseLiveCertificates,
  planCertificates,
} from './plan-certificates.ts'
import { routerPaths } from './router-paths.ts'

const paths = routerPaths('/r')
const list = paths.certificateList
const nothing = { listed: [], known: new Set<string>(), begun: undefined }

function listed(...hostnames: string[]) {
  const served = hostnames.map((hostname) => ({ hostname, fingerprint: 'f0' }))
  return listedAs(served, paths)
}

test('a file is named for its host and its content', () => {
  const [one] = listed('www.example.com')
  assert.equal(one?.file, '/r/certificates/www.example.com-f0.pem')
  assert.equal(one?.filters, 'www.example.com')
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

test('what is missing is added whole, and then what is too many goes', () => {
  const wanted = listed('a.example.com')
  const [old] = listed('old.example.com')
  assert.ok(old)
  const live = {
    listed: [old],
    known: new Set([old.file]),
    begun: '/r/certificates/x.pem',
  }
  const file = wanted[0]?.file ?? ''
  const texts = new Map([[file, 'PEM\n']])
  assert.deepEqual(planCertificates(wanted, live, { list, texts }), [
    'abort ssl cert /r/certificates/x.pem',
    `new ssl cert ${file}`,
    `set ssl cert ${file} <<\nPEM\n`,
    `commit ssl cert ${file}`,
    `abort ssl cert ${file}`,
    `add ssl crt-list ${list} <<\n${file} a.example.com\n`,
    `del ssl crt-list ${list} ${old.file}`,
    `del ssl cert ${old.file}`,
  ])
})

test('nothing is said where all is as wanted, nor of what cannot be had', () => {
  const wanted = listed('a.example.com', '*.example.com')
  const live = { ...nothing, listed: wanted }
  assert.deepEqual(planCertificates(wanted, live, { list, texts: new Map() }), [])
  assert.deepEqual(planCertificates(wanted, nothing, { list, texts: new Map() }), [])
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
  assert.equal(
    listText('/keys/default.pem', listed('a.example.com')),
    '/keys/default.pem\n/r/certificates/a.example.com-f0.pem a.example.com\n',
  )
})
