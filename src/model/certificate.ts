/** Certificates as users give them and routers serve them: X.509 in PEM. */

import {
  createHash,
  createPrivateKey,
  type KeyObject,
  X509Certificate,
} from 'node:crypto'
import { createSecureContext, rootCertificates } from 'node:tls'

/** HAProxy takes certificate chain and key together in one buffer of 16 KiB. */
const LONGEST = 14_000
/**
 * Of what is given, characters of either text, and certificates: the chain is found among them by verifying
 * signatures, milliseconds each, in the thread that answers everybody.
 */
const LONGEST_GIVEN = 64 * 1024
const MOST_GIVEN = 20
/** Bits. */
const SMALLEST_RSA = 2048
/** Kinds and curves, as OpenSSL names them. */
const KEYS = new Set(
  'rsa rsa-pss prime256v1 secp384r1 secp521r1 ed25519 ed448'.split(' '),
)
const SIGNATURES =
  /^(sha(224|256|384|512)WithRSAEncryption|ecdsa-with-SHA(224|256|384|512)|rsassaPss|ED25519|ED448)$/
/** Further certificates of a chain: more are a mistake. */
const LONGEST_CHAIN = 10
/** That bear the name of whoever signed one. Several authorities vouch for some, none has this many keys. */
const MOST_OF_A_NAME = 3

/** A certificate that can be served. */
export interface Certificate {
  /** PEM: the certificate itself first, then who signed it, and so on. */
  readonly chain: string
  /** PEM. */
  readonly privateKey: string
  /** Of the chain, in hex: another certificate, another fingerprint. */
  readonly fingerprint: string
  readonly startsAt: Date
  readonly expiresAt: Date
}

/** What a certificate says of itself. */
export interface CertificateDetails {
  /** The hosts it is for; some may be wildcards. */
  readonly hosts: readonly string[]
  /** `/C=US/O=Example/CN=www.example.com`. */
  readonly subject: string
  readonly issuer: string
  readonly selfSigned: boolean
  /** Whether an authority vouches for it that Node.js trusts. */
  readonly trusted: boolean
}

/**
 * The certificate of these texts, its chain put in order, or what is wrong with them in a
 * sentence. More certificates than the chain's own may be given, in any order.
 */
export function readCertificate(
  chain: string,
  privateKey: string,
  now: Date,
): Certificate | { readonly fault: string } {
  if (chain.length > LONGEST_GIVEN || privateKey.length > LONGEST_GIVEN) {
    const fault = `Certificate chain and private key may be given in ${LONGEST_GIVEN} characters each at most.`
    return { fault }
  }
  const blocks = blocksIn(chain)
  if (blocks.length > MOST_GIVEN) {
    return { fault: `At most ${MOST_GIVEN} certificates may be given at once.` }
  }
  const key = readKey(privateKey)
  if (!key) {
    return { fault: 'The private key is not one in PEM without a passphrase.' }
  }
  const given = certificatesOf(blocks)
  if (!given || given.length === 0) {
    return { fault: 'The certificate chain has no readable certificate in PEM.' }
  }
  const own = given.find((it) => it.checkPrivateKey(key))
  if (!own) return { fault: 'The private key is not that of the certificate.' }
  if (own.validToDate <= now) {
    return { fault: `The certificate expired on ${own.validToDate.toISOString()}.` }
  }
  if (hostsOf(own).length === 0) return { fault: 'The certificate names no host.' }

  const ordered = chainOf(own, given)
  const text = ordered.map(String).join('')
  const keyText = key.export({ type: 'pkcs8', format: 'pem' }).toString()
  if (text.length + keyText.length > LONGEST) {
    const fault = `Certificate chain and private key may have ${LONGEST} bytes at most.`
    return { fault }
  }
  const fault = weakness(ordered) ?? unusable(text, keyText)
  if (fault !== undefined) return { fault }
  return {
    chain: text,
    privateKey: keyText,
    fingerprint: createHash('sha256').update(text).digest('hex'),
    startsAt: own.validFromDate,
    expiresAt: own.validToDate,
  }
}

/** `chain`: as `readCertificate` returns it. */
export function detailsOf(chain: string): CertificateDetails {
  const blocks = blocksIn(chain)
  // What is between them says nothing of it, and is not read.
  const [own, last = own] =
    certificatesOf([...blocks.slice(0, 1), ...blocks.slice(1).slice(-1)]) ?? []
  if (!own || !last) throw new Error('a chain begins with its certificate')
  return {
    hosts: hostsOf(own),
    subject: nameOf(own.subject),
    issuer: nameOf(own.issuer),
    selfSigned: own.checkIssued(own),
    trusted: isTrusted(last),
  }
}

/** Whether clients that ask for the host take it; the host may itself be a wildcard. */
export function covers(chain: string, hostname: string): boolean {
  const [own] = certificatesOf(blocksIn(chain).slice(0, 1)) ?? []
  if (!own) return false
  return hostname.startsWith('*')
    ? hostsOf(own).includes(hostname)
    : own.checkHost(hostname) !== undefined
}

function readKey(text: string): KeyObject | undefined {
  try {
    return createPrivateKey(text)
  } catch {
    return undefined
  }
}

function blocksIn(text: string): string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
}

/** Undefined: one of them cannot be read. */
function certificatesOf(blocks: readonly string[]): X509Certificate[] | undefined {
  try {
    return blocks.map((block) => new X509Certificate(block))
  } catch {
    return undefined
  }
}

/** Without an authority's own at its end: clients have that. */
function chainOf(
  own: X509Certificate,
  given: readonly X509Certificate[],
): X509Certificate[] {
  const chain = [own]
  for (let last = own; chain.length <= LONGEST_CHAIN;) {
    const next = given
      .filter((it) => !chain.includes(it) && last.checkIssued(it))
      .slice(0, MOST_OF_A_NAME)
      .find((it) => last.verify(it.publicKey))
    if (!next || next.checkIssued(next)) break
    chain.push(next)
    last = next
  }
  return chain
}

function signed(issuer: X509Certificate, it: X509Certificate): boolean {
  return it.checkIssued(issuer) && it.verify(issuer.publicKey)
}

function hostsOf({ subject, subjectAltName }: X509Certificate): string[] {
  const named = (subjectAltName ?? '')
    .split(', ')
    .flatMap((it) => (it.startsWith('DNS:') ? [it.slice('DNS:'.length)] : []))
  if (named.length > 0) return named
  // Clients of today heed no common name; it is shown all the same.
  const common = subject === undefined ? undefined : /^CN=(.+)$/m.exec(subject)?.[1]
  return common === undefined ? [] : [common]
}

/** OpenSSL's line of a name. */
function nameOf(lines: string | undefined): string {
  return (lines ?? '')
    .split('\n')
    .map((line) => `/${line}`)
    .join('')
}

/**
 * What routers cannot serve: their HAProxy has Debian's OpenSSL (3.0 in Debian 12, its security
 * level 2: SSL_CTX_set_security_level(3)), which takes less than Node's own. Of a curve beside
 * these it takes a certificate, and then agrees with no client.
 */
function weakness(chain: readonly X509Certificate[]): string | undefined {
  for (const it of chain) {
    const { asymmetricKeyType: type = '', asymmetricKeyDetails: its } = it.publicKey
    const bits = its?.modulusLength ?? 0
    const whose = `The certificate of ${nameOf(it.subject)}`
    if (type.startsWith('rsa') && bits < SMALLEST_RSA) {
      return `${whose} has an RSA key of ${bits} bits: ${SMALLEST_RSA} are the fewest.`
    }
    const kind = its?.namedCurve ?? type
    if (!KEYS.has(kind)) {
      return `${whose} has a key of a kind that routers cannot serve (${kind}): RSA, ECDSA (P-256, P-384, P-521) and Ed25519 they can.`
    }
    const manner = it.signatureAlgorithm ?? 'unknown'
    if (/md5|sha1/i.test(manner)) {
      return `${whose} is signed with a digest too weak: ${manner}.`
    }
    if (!SIGNATURES.test(manner)) {
      return `${whose} is signed in a manner that routers cannot serve: ${manner}.`
    }
  }
  return undefined
}

/** OpenSSL's own judgement. */
function unusable(cert: string, key: string): string | undefined {
  try {
    createSecureContext({ cert, key })
    return undefined
  } catch (error) {
    const { reason, message } = error as Error & { readonly reason?: string }
    return `The certificate cannot be served: ${reason ?? message}.`
  }
}

let roots: readonly X509Certificate[] | undefined

/** `last`: of its chain. */
function isTrusted(last: X509Certificate): boolean {
  roots ??= rootCertificates.map((it) => new X509Certificate(it))
  return roots.some((root) => signed(root, last))
}
