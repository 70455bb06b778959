import assert from 'node:assert/strict'
import { test } from 'node:test'

import { hostnameIn, isBelow } from './hostname.ts'

const hostnames: readonly (readonly [string, string | undefined])[] = [
  ['www.example.com', 'www.example.com'],
  ['WWW.Example.COM.', 'www.example.com'],
  ['*.example.com', '*.example.com'],
  ['bücher.example', 'xn--bcher-kva.example'],
  ['1.example.com', '1.example.com'],
  ['example', undefined],
  ['', undefined],
  ['*', undefined],
  ['*.*.example.com', undefined],
  ['www.*.com', undefined],
  ['-a.example.com', undefined],
  ['a_b.example.com', undefined],
  ['a..example.com', undefined],
  ['http://example.com', undefined],
  ['example.com:80', undefined],
  ['example.com/x', undefined],
  ['a b.example.com', undefined],
  ['127.0.0.1', undefined],
  ['0x7f.1', undefined],
  ['[::1]', undefined],
  [`${'a'.repeat(64)}.example.com`, undefined],
  [`${'a.'.repeat(130)}com`, undefined],
]

for (const [text, expected] of hostnames) {
  test(`${JSON.stringify(text.slice(0, 40))} is ${expected ?? 'no hostname'}`, () => {
    assert.equal(hostnameIn(text), expected)
  })
}

test('what is below a domain is told from what only ends alike', () => {
  assert.ok(isBelow('a.localhost', 'localhost'))
  assert.ok(isBelow('*.apps.example.com', 'apps.example.com'))
  assert.ok(!isBelow('myapps.example.com', 'apps.example.com'))
})
