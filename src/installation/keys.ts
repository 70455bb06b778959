/**
 * The installation's secrets, made once. Each file appears whole, by a rename, and the one
 * that says "done" comes last, so set-up may be killed at any moment and begun again.
 */

import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

import { KEY_BYTES } from '../lib/secret-box.ts'
import type { DataDirectory, Installation } from './data-directory.ts'
import { runProgram } from './run-program.ts'
import { GROUP, groupId, userId } from './users.ts'

const YEARS_10 = '3650'

export async function ensureKeys(
  data: DataDirectory,
  { id }: Installation,
): Promise<void> {
  const { keys } = data
  const api = userId('mayfly-api')
  if (!existsSync(keys.configVars)) {
    place(keys.configVars, randomBytes(KEY_BYTES), { mode: 0o400, owner: api })
  }
  // Of the group: what delivers webhooks is no part of the API, and must not read config vars.
  if (!existsSync(keys.webhooks)) {
    place(keys.webhooks, randomBytes(KEY_BYTES), { mode: 0o440, owner: api })
  }
  if (!existsSync(keys.apiKey)) {
    place(keys.apiKey, `HRKU-${randomBytes(24).toString('hex')}\n`, {
      mode: 0o600,
      owner: 0,
    })
  }

  const drafts = join(keys.directory, 'drafts')
  rmSync(drafts, { recursive: true, force: true })
  mkdirSync(drafts, { mode: 0o700 })
  if (!existsSync(keys.ca)) {
    const ca = await makeCertificate(drafts, authorityRequest(id), [])
    place(keys.caPrivateKey, ca.privateKey, { mode: 0o600, owner: 0 })
    place(keys.ca, ca.certificate, { mode: 0o644, owner: 0 })
    rmSync(keys.certificate, { force: true })
  }
  if (!existsSync(keys.certificate)) {
    const signer = ['-CA', keys.ca, '-CAkey', keys.caPrivateKey]
    const server = await makeCertificate(drafts, serverRequest(), signer)
    place(keys.privateKey, server.privateKey, { mode: 0o400, owner: api })
    place(keys.certificate, server.certificate, { mode: 0o644, owner: 0 })
  }
  rmSync(drafts, { recursive: true })
}

export function readApiKey(data: DataDirectory): string {
  return readFileSync(data.keys.apiKey, 'utf8').trim()
}

/** OpenSSL's configuration for a certificate that may sign the server's and nothing else. */
export function authorityRequest(id: string): string {
  return request(`Mayfly ${id} certificate authority`, [
    'basicConstraints = critical, CA:TRUE, pathlen:0',
    'keyUsage = critical, keyCertSign, cRLSign',
    'subjectKeyIdentifier = hash',
  ])
}

export function serverRequest(): string {
  return request('localhost', [
    'basicConstraints = critical, CA:FALSE',
    'keyUsage = critical, digitalSignature',
    'extendedKeyUsage = serverAuth',
    'subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1',
    'authorityKeyIdentifier = keyid',
  ])
}

function request(name: string, extensions: readonly string[]): string {
  return `[req]
prompt = no
distinguished_name = name
x509_extensions = extensions
[name]
CN = ${name}
[extensions]
${extensions.join('\n')}
`
}

async function makeCertificate(
  drafts: string,
  config: string,
  signer: readonly string[],
): Promise<{ readonly certificate: Buffer; readonly privateKey: Buffer }> {
  const files = {
    config: join(drafts, 'config'),
    key: join(drafts, 'key'),
    certificate: join(drafts, 'pem'),
  }
  writeFileSync(files.config, config)
  const key = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-noenc',
    '-keyout',
    files.key,
  ]
  const certificate = ['-x509', '-days', YEARS_10, '-out', files.certificate, ...signer]
  await runProgram(['openssl', 'req', '-config', files.config, ...key, ...certificate])
  return {
    certificate: readFileSync(files.certificate),
    privateKey: readFileSync(files.key),
  }
}

function place(
  file: string,
  content: string | Buffer,
  { mode, owner }: { readonly mode: number; readonly owner: number },
): void {
  const draft = `${file}.new`
  writeFileSync(draft, content, { mode: 0o600, flush: true })
  chownSync(draft, owner, owner === 0 ? 0 : groupId(GROUP))
  chmodSync(draft, mode)
  renameSync(draft, file)
}
