/**
 * Certificates that `openssl` of Debian cannot make, put together in DER: by ML-DSA-44 (FIPS 204,
 * RFC 9881), which Node's OpenSSL knows and that of Debian 12 does not, and in a manner that nobody knows.
 */

import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

import { DAY } from '../src/lib/clock.ts'
import type { ACertificate } from './a-certificate.ts'

const ML_DSA_44 = '608648016503040311'
/** 1.2.3.4 */
const UNKNOWN = '2a0304'
const COMMON_NAME = '550403'
const SUBJECT_ALT_NAME = '551d11'

type Strangeness = 'key of ML-DSA' | 'signed by ML-DSA' | 'signed in an unknown manner'

/** Where it is not the key that is strange, it is one of P-256. */
export function aStrangeCertificate(hostname: string, what: Strangeness): ACertificate {
  const signer = generateKeyPairSync('ml-dsa-44')
  const own =
    what === 'key of ML-DSA' ? signer : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const manner = sequence(
    oid(what === 'signed in an unknown manner' ? UNKNOWN : ML_DSA_44),
  )
  const issuer = own === signer ? hostname : 'an authority'
  const draft = toBeSigned(hostname, { issuer, manner, key: own.publicKey })
  const der = sequence(draft, manner, bits(sign(null, draft, signer.privateKey)))
  const lines = (der.toString('base64').match(/.{1,64}/g) ?? []).join('\n')
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    privateKey: own.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

/** RFC 5280, 4.1. */
function toBeSigned(
  hostname: string,
  it: { readonly issuer: string; readonly manner: Buffer; readonly key: KeyObject },
): Buffer {
  const now = Date.now()
  const alternatives = sequence(element(0x82, Buffer.from(hostname)))
  return sequence(
    element(0xa0, element(0x02, Buffer.from([2]))),
    element(0x02, Buffer.from([1])),
    it.manner,
    named(it.issuer),
    sequence(utcTime(now - DAY), utcTime(now + 30 * DAY)),
    named(hostname),
    it.key.export({ type: 'spki', format: 'der' }),
    element(0xa3, sequence(sequence(oid(SUBJECT_ALT_NAME), element(0x04, alternatives)))),
  )
}

function named(name: string): Buffer {
  const text = element(0x0c, Buffer.from(name))
  return sequence(element(0x31, sequence(oid(COMMON_NAME), text)))
}

function utcTime(at: number): Buffer {
  const digits = new Date(at).toISOString().replace(/\D/g, '').slice(2, 14)
  return element(0x17, Buffer.from(`${digits}Z`))
}

function oid(hex: string): Buffer {
  return element(0x06, Buffer.from(hex, 'hex'))
}

function bits(content: Buffer): Buffer {
  return element(0x03, Buffer.concat([Buffer.from([0]), content]))
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return element(0x30, Buffer.concat(parts))
}

function element(tag: number, content: Buffer): Buffer {
  const { length } = content
  const long = length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...(length < 128 ? [length] : long)]), content])
}
