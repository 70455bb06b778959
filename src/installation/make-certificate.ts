/** Certificates by OpenSSL, and files of secrets that appear whole. */

import { chmodSync, chownSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { runProgram } from './run-program.ts'
import { GROUP, groupId } from './users.ts'

const YEARS_10 = '3650'

export interface Certificate {
  readonly certificate: Buffer
  readonly privateKey: Buffer
}

/** OpenSSL's configuration for a certificate of the name, with these extensions. */
export function request(name: string, extensions: readonly string[]): string {
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

/** `drafts`: an empty directory of root's. `signer`: the arguments that name it; none: itself. */
export async function makeCertificate(
  drafts: string,
  config: string,
  signer: readonly string[] = [],
): Promise<Certificate> {
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

/** By a rename. `owner` 0 is root, and then the group is root's, too. */
export function place(
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
