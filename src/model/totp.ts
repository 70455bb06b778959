/**
 * Codes by time (RFC 6238) as every authenticator makes them: HMAC-SHA-1, six digits, a new
 * one every 30 seconds. A code belongs to a step: how many times 30 s have passed since 1970.
 */

import { createHmac, timingSafeEqual } from 'node:crypto'

import { SECOND } from '../lib/clock.ts'

const STEP = 30 * SECOND
const DIGITS = 6
/** Steps that a clock may be wrong by, either way. */
const DRIFT = 1
/** As long as what SHA-1 gives (RFC 4226). */
export const TOTP_SECRET_BYTES = 20

export function stepAt(when: Date): number {
  return Math.floor(when.getTime() / STEP)
}

/** HOTP (RFC 4226) of the step. */
export function totpOf(secret: Buffer, step: number, digits: number = DIGITS): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac('sha1', secret).update(counter).digest()
  const at = mac.readUInt8(mac.length - 1) & 0xf
  const number = mac.readUInt32BE(at) & 0x7fff_ffff
  return String(number % 10 ** digits).padStart(digits, '0')
}

/** The step whose code it is, now or next to it; undefined where it is none's. */
export function stepOfTotp(secret: Buffer, code: string, now: Date): number | undefined {
  if (!isTotp(code)) return undefined
  const step = stepAt(now)
  const near = Array.from({ length: 2 * DRIFT + 1 }, (_, at) => step - DRIFT + at)
  const given = Buffer.from(code)
  return near.find((it) => timingSafeEqual(Buffer.from(totpOf(secret, it)), given))
}

export function isTotp(code: string): boolean {
  return new RegExp(`^[0-9]{${DIGITS}}$`).test(code)
}

/** What an authenticator is shown; it has the secret in it. */
export function otpauthUrl(secret: Buffer, email: string): string {
  const label = encodeURIComponent(`Mayfly:${email}`)
  return `otpauth://totp/${label}?secret=${base32(secret)}&issuer=Mayfly`
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** RFC 4648, without the padding. */
export function base32(bytes: Buffer): string {
  const bits = [...bytes].map((it) => it.toString(2).padStart(8, '0')).join('')
  const fives = bits.match(/.{1,5}/g) ?? []
  return fives.map((it) => LETTERS[Number.parseInt(it.padEnd(5, '0'), 2)]).join('')
}
