/** Certificates for tests, made by OpenSSL and signed by themselves unless said otherwise. */

import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** PEM texts. */
export interface ACertificate {
  readonly certificate: string
  readonly privateKey: string
}

/** Kinds that routers serve, as OpenSSL's `-newkey` takes them. */
export const SERVED_KEYS: readonly (readonly string[])[] = [
  ['rsa:2048'],
  ['rsa-pss', '-pkeyopt', 'rsa_keygen_bits:2048'],
  ...['P-256', 'P-384', 'P-521'].map((it) => [
    'ec',
    '-pkeyopt',
    `ec_paramgen_curve:${it}`,
  ]),
  ['ed25519'],
  ['ed448'],
]

/** `newKey`: as OpenSSL's `-newkey` takes it. An `authority` may itself sign others. */
export async function aCertificate(
  hostnames: readonly string[],
  but: {
    readonly newKey?: readonly string[]
    readonly digest?: string
    readonly days?: number
    readonly signer?: ACertificate
    readonly authority?: boolean
    /** It does not tell which key signed it, only whose. */
    readonly keyUntold?: boolean
  } = {},
): Promise<ACertificate> {
  const {
    newKey = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
    digest = 'sha256',
    days = 30,
    signer,
    authority = false,
    keyUntold = false,
  } = but
  const directory = await mkdtemp(join(tmpdir(), 'mayfly-certificate-'))
  const at = (name: string) => join(directory, name)
  try {
    if (signer) {
      await writeFile(at('ca.pem'), signer.certificate)
      await writeFile(at('ca.key'), signer.privateKey)
    }
    const names = hostnames.map((it) => `DNS:${it}`).join(',')
    const files = `-keyout ${at('key')} -out ${at('pem')} -days ${days}`
    await run('openssl', [
      ...`req -x509 -noenc -${digest} ${files} -newkey`.split(' '),
      ...newKey,
      '-subj',
      `/CN=${hostnames[0]}`,
      '-addext',
      `subjectAltName=${names}`,
      '-addext',
      `basicConstraints=critical,CA:${authority ? 'TRUE' : 'FALSE'}`,
      ...(keyUntold ? ['-addext', 'authorityKeyIdentifier=none'] : []),
      ...(signer ? ['-CA', at('ca.pem'), '-CAkey', at('ca.key')] : []),
    ])
    return {
      certificate: await readFile(at('pem'), 'utf8'),
      privateKey: await readFile(at('key'), 'utf8'),
    }
  } finally {
    await rm(directory, { recursive: true })
  }
}
