import { createHash, randomBytes } from 'node:crypto'

import { base32 } from './totp.ts'

/** 16 letters and digits; with 80 bits a code needs no slow hash. */
const BYTES = 10
const COUNT = 10

/** `k5qw-3zpl-u7me-a2xd`, ten of them. */
export function newRecoveryCodes(): string[] {
  return Array.from({ length: COUNT }, () => {
    const letters = base32(randomBytes(BYTES)).toLowerCase()
    return (letters.match(/.{4}/g) ?? []).join('-')
  })
}

/** What is kept of one, however it was typed. */
export function digestOfRecoveryCode(code: string): Buffer {
  const letters = code.toLowerCase().replace(/[\s-]/g, '')
  return createHash('sha256').update(letters).digest()
}
