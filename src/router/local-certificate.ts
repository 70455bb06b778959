/**
 * Certificates for the apps' default domains, signed by the installation's authority for
 * them (src/installation/router-keys.ts), where its operator has none for the domain.
 */

import { execFile } from 'node:child_process'
import { hash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { DAY } from '../lib/clock.ts'
import { makingArguments, serverRequest } from '../model/certificate-request.ts'

const run = promisify(execFile)

const VALID_DAYS = 397
/** Made anew long before it ends: browsers take none that is valid for much more than a year. */
const RENEWED_EVERY = 180 * DAY

/**
 * The hosts that certificates are needed for: one with a wildcard, where clients accept that;
 * below a domain of one label, as `localhost`, none does (RFC 6125, 7.2).
 */
export function defaultHosts(domain: string, apps: readonly string[]): string[] {
  return domain.includes('.') ? [`*.${domain}`] : apps.map((name) => `${name}.${domain}`)
}

/** Names the span of time in which a host's certificate is not made anew. Each host has its own, that not all end at once. */
export function spanOf(now: Date, host: string): string {
  const digest = hash('sha256', host, 'buffer').readUInt32BE()
  const begun = (digest / 2 ** 32) * RENEWED_EVERY
  return `l${Math.floor((now.getTime() + begun) / RENEWED_EVERY)}`
}

/** PEM: certificate and private key. `signer`: a file with those of the authority. */
export async function localCertificate(host: string, signer: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'mayfly-certificate-'))
  const at = (name: string) => join(directory, name)
  const files = { config: at('config'), key: at('key'), certificate: at('pem') }
  const by = { certificate: signer, key: signer }
  try {
    // The subject has no host: 64 letters are its most.
    await writeFile(files.config, serverRequest('Mayfly app', `DNS:${host}`))
    await run('openssl', makingArguments(files, VALID_DAYS, by))
    return `${await readFile(files.certificate, 'utf8')}${await readFile(files.key, 'utf8')}`
  } finally {
    await rm(directory, { recursive: true })
  }
}
