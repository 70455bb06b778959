/**
 * What the routers serve TLS with for the apps' default domain, until its operator has a
 * certificate for it: an authority of its own, which may vouch for that domain and nothing
 * else. So who trusts it trusts it with no other site, nor with the API.
 */

import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'

import { authorityRequest, serverRequest } from '../model/certificate-request.ts'
import type { DataDirectory, Installation } from './data-directory.ts'
import { makeCertificate, place } from './make-certificate.ts'

/**
 * Idempotent; made anew when the domain has changed. `drafts`: an empty directory of root's.
 * Certificate and key lie in one file each, as HAProxy reads them.
 */
export async function ensureRouterKeys(
  keys: Pick<DataDirectory['keys'], 'routerCa' | 'routerSigner' | 'routerDefault'>,
  { id, domain }: Pick<Installation, 'id' | 'domain'>,
  drafts: string,
): Promise<void> {
  if (isFor(keys.routerDefault, domain)) return
  const name = `Mayfly ${id} authority for apps`
  // Holds for the domain and all below (RFC 5280, 4.2.1.10).
  const constraint = `nameConstraints = critical, permitted;DNS:${domain}`
  const authority = await makeCertificate(drafts, authorityRequest(name, [constraint]))
  const signer = Buffer.concat([authority.certificate, authority.privateKey])
  place(keys.routerSigner, signer, { mode: 0o600, owner: 0 })
  place(keys.routerCa, authority.certificate, { mode: 0o644, owner: 0 })
  // Shown to clients that name no host.
  const its = await makeCertificate(
    drafts,
    serverRequest('Mayfly apps', `DNS:${domain}`),
    { certificate: keys.routerSigner, key: keys.routerSigner },
  )
  // The last: as long as it is missing or another domain's, all are made anew.
  place(keys.routerDefault, Buffer.concat([its.certificate, its.privateKey]), {
    mode: 0o600,
    owner: 0,
  })
}

function isFor(certificate: string, domain: string): boolean {
  if (!existsSync(certificate)) return false
  return new X509Certificate(readFileSync(certificate)).subjectAltName === `DNS:${domain}`
}
