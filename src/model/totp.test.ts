import assert from 'node:assert/strict'
import { test } from 'node:test'

import { later, SECOND } from '../lib/clock.ts'
import { base32, otpauthUrl, stepAt, stepOfTotp, totpOf } from './totp.ts'

const secret = Buffer.from('12345678901234567890')

/** RFC 6238, appendix B, SHA1. */
const vectors: readonly (readonly [seconds: number, code: string])[] = [
  [59, '94287082'],
  [1111111109, '07081804'],
  [1111111111, '14050471'],
  [1234567890, '89005924'],
  [2000000000, '69279037'],
  [20000000000, '65353130'],
]

test('codes are those of RFC 6238', () => {
  for (const [seconds, code] of vectors) {
    assert.equal(totpOf(secret, stepAt(new Date(seconds * SECOND)), 8), code)
  }
})

/** RFC 4226, appendix D. */
test('and of RFC 4226, with six digits', () => {
  const codes = Array.from({ length: 10 }, (_, step) => totpOf(secret, step))
  assert.deepEqual(
    codes,
    '755224 287082 359152 969429 338314 254676 287922 162583 399871 520489'.split(' '),
  )
})

test('a code is good for its step and those beside it', () => {
  const now = new Date(1111111109 * SECOND)
  const at = (steps: number) => totpOf(secret, stepAt(now) + steps)
  assert.deepEqual(
    [-2, -1, 0, 1, 2].map((it) => stepOfTotp(secret, at(it), now)),
    [undefined, stepAt(now) - 1, stepAt(now), stepAt(now) + 1, undefined],
  )
  assert.equal(stepOfTotp(secret, at(0), later(now, 90 * SECOND)), undefined)
})

test('what is no code is none', () => {
  const now = new Date(1111111109 * SECOND)
  for (const it of ['', '12345', '1234567', 'abcdef', '１２３４５６', '081804\n']) {
    assert.equal(stepOfTotp(secret, it, now), undefined, it)
  }
})

/** RFC 4648, section 10, without the padding. */
test('base32', () => {
  const words = ['', 'f', 'fo', 'foo', 'foob', 'fooba', 'foobar']
  assert.deepEqual(
    words.map((it) => base32(Buffer.from(it))),
    ['', 'MY', 'MZXQ', 'MZXW6', 'MZXW6YQ', 'MZXW6YTB', 'MZXW6YTBOI'],
  )
})

test('an authenticator is shown an address and a secret', () => {
  assert.equal(
    otpauthUrl(secret, 'ann@example.com'),
    'otpauth://totp/Mayfly%3Aann%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Mayfly',
  )
})
