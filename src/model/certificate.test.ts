import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { before, test } from 'node:test'
import { rootCertificates } from 'node:tls'

import { type ACertificate, aCertificate, SERVED_KEYS } from '../../test/a-certificate.ts'
import { aStrangeCertificate } from '../../test/a-strange-certificate.ts'
import { type Certificate, covers, detailsOf, readCertificate } from './certificate.ts'

const now = new Date()

let authority: ACertificate
let between: ACertificate
let own: ACertificate

before(async () => {
  authority = await aCertificate(['authority.example'], { authority: true })
  between = await aCertificate(['between.example'], {
    authority: true,
    signer: authority,
  })
  own = await aCertificate(['www.example.com', '*.example.org'], { signer: between })
})

function read(chain: string, privateKey: string): Certificate {
  const certificate = readCertificate(chain, privateKey, now)
  assert.ok(!('fault' in certificate), JSON.stringify(certificate))
  return certificate
}

function faultOf(chain: string, privateKey: string, at = now): string {
  const certificate = readCertificate(chain, privateKey, at)
  assert.ok('fault' in certificate, 'it was taken')
  return certificate.fault
}

test(`a chain is put in order, and ends before the authority's own`, () => {
  const given = [authority, own, between].map((it) => it.certificate).join('\n junk \n')
  const { chain, expiresAt } = read(given, own.privateKey)
  assert.equal(chain, `${own.certificate}${between.certificate}`)
  assert.ok(expiresAt > now)
  const again = read(chain, own.privateKey)
  assert.equal(again.fingerprint, read(given, own.privateKey).fingerprint)
  assert.notEqual(again.fingerprint, read(own.certificate, own.privateKey).fingerprint)
})

test('it says whose it is, and whether it is trusted', () => {
  const details = detailsOf(read(own.certificate, own.privateKey).chain)
  assert.deepEqual(details, {
    hosts: ['www.example.com', '*.example.org'],
    subject: '/CN=www.example.com',
    issuer: '/CN=between.example',
    selfSigned: false,
    trusted: false,
  })
  assert.equal(detailsOf(authority.certificate).selfSigned, true)
  assert.equal(detailsOf(rootCertificates[0] ?? '').trusted, true)
})

test('which hosts it is for', () => {
  const { chain } = read(own.certificate, own.privateKey)
  for (const host of ['www.example.com', 'a.example.org', '*.example.org']) {
    assert.equal(covers(chain, host), true, host)
  }
  for (const host of ['example.com', 'a.b.example.org', '*.example.com', 'example.org']) {
    assert.equal(covers(chain, host), false, host)
  }
})

test('keys of the older forms are read', async () => {
  const rsa = await aCertificate(['rsa.example'], { newKey: ['rsa:2048'] })
  assert.match(read(rsa.certificate, rsa.privateKey).privateKey, /BEGIN PRIVATE KEY/)
  const sec1 = own.privateKey
  assert.ok(read(own.certificate, sec1))
})

test('what cannot be served is refused, and why', async () => {
  const { privateKey: locked } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: {
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'x',
    },
  })
  const { certificate, privateKey } = own
  assert.match(faultOf(certificate, ''), /private key is not one/)
  assert.match(faultOf(certificate, locked), /without a passphrase/)
  assert.match(faultOf('', privateKey), /no readable certificate/)
  const broken = certificate.replace(/[A-Za-z]{20}/, 'AAAAAAAAAAAAAAAAAAAA')
  assert.match(faultOf(broken, privateKey), /no readable certificate|not that of/)
  assert.match(faultOf(certificate, between.privateKey), /not that of the certificate/)
  const late = new Date(now.getTime() + 40 * 24 * 3600 * 1000)
  assert.match(faultOf(certificate, privateKey, late), /expired on/)
  const weak = await aCertificate(['weak.example'], { newKey: ['rsa:1024'] })
  assert.match(faultOf(weak.certificate, weak.privateKey), /RSA key of 1024 bits/)
  const sha1 = await aCertificate(['old.example'], { digest: 'sha1', signer: between })
  assert.match(faultOf(sha1.certificate, sha1.privateKey), /digest too weak/)
  const many = Array.from({ length: 600 }, (_, n) => `host-${n}.a-long-name.example`)
  const long = await aCertificate(many)
  assert.match(faultOf(long.certificate, long.privateKey), /14000 bytes at most/)
})

test('a key that routers cannot serve is refused, and so is a signature', async () => {
  for (const curve of ['P-224', 'secp256k1', 'brainpoolP256r1']) {
    const newKey = ['ec', '-pkeyopt', `ec_paramgen_curve:${curve}`]
    const odd = await aCertificate(['odd.example'], { newKey })
    const fault = faultOf(odd.certificate, odd.privateKey)
    assert.match(fault, /key of a kind that routers cannot serve \((secp|brainpool)/)
  }
  for (const [what, told] of [
    ['key of ML-DSA', /a kind that routers cannot serve \(ml-dsa-44\)/],
    ['signed by ML-DSA', /signed in a manner that routers cannot serve: ML-DSA-44\.$/],
    ['signed in an unknown manner', /signed in a manner .* cannot serve: unknown\.$/],
  ] as const) {
    const strange = aStrangeCertificate('www.example.com', what)
    assert.match(faultOf(strange.certificate, strange.privateKey), told)
  }
  for (const newKey of SERVED_KEYS) {
    const its = await aCertificate(['www.example.com'], { newKey })
    read(its.certificate, its.privateKey)
  }
})
