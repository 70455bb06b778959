/** Certificates by OpenSSL, and files of secrets that appear whole. */

import { chmodSync, chownSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { runProgram } from '../lib/run-program.ts'
import { makingArguments } from '../model/certificate-request.ts'

/** In days. */
const YEARS_10 = 3650

export interface Certificate {
  readonly certificate: Buffer
  readonly privateKey: Buffer
}

/** `drafts`: an empty directory of root's. `signer`: files; without, it signs itself. */
export async function makeCertificate(
  drafts: string,
  config: string,
  signer?: { readonly certificate: string; readonly key: string },
): Promise<Certificate> {
  const files = {
    config: join(drafts, 'config'),
    key: join(drafts, 'key'),
    certificate: join(drafts, 'pem'),
  }
  writeFileSync(files.config, config)
  await runProgram(['openssl', ...makingArguments(files, YEARS_10, signer)])
  return {
    certificate: readFileSync(files.certificate),
    privateKey: readFileSync(files.key),
  }
}

/** By a rename. `group`: left out, root's. */
export function place(
  file: string,
  content: string | Buffer,
  {
    mode,
    owner,
    group = 0,
  }: { readonly mode: number; readonly owner: number; readonly group?: number },
): void {
  const draft = `${file}.new`
  writeFileSync(draft, content, { mode: 0o600, flush: true })
  chownSync(draft, owner, group)
  chmodSync(draft, mode)
  renameSync(draft, file)
}
