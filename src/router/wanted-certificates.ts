/** Which certificates a region's router is to serve, and where they come from. */

import { createHash } from 'node:crypto'

import type { Pool } from 'pg'

import type { Clock } from '../lib/clock.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import type { SniEndpointId } from '../model/ids.ts'
import type { EndpointCertificate, RouterFacts } from '../store/routes.ts'
import { certificateToServe } from '../store/sni-endpoints.ts'
import { UnusableCertificate, type WantedCertificate } from './bring-certificates.ts'
import { defaultHosts, localCertificate, spanOf } from './local-certificate.ts'
import { contentOf } from './router-files.ts'

/** Files hold a certificate chain and its private key. */
export interface CertificateSources {
  /** What signs for default domains; a file. */
  readonly authority: string
  /** For clients that name no host; a file. */
  readonly unnamed: string
  /** The operator's own for the apps' domain; a file that may be missing. */
  readonly own: string
  /** Opens the private keys of apps. */
  readonly secrets: SecretBox
  readonly clock: Clock
}

export async function wantedCertificates(
  { region, apps, certificates }: RouterFacts,
  pool: Pool,
  sources: CertificateSources,
): Promise<WantedCertificate[]> {
  const own = await contentOf(sources.own)
  const names = apps.map((it) => it.name)
  return [
    ...certificates.map((it) => ofEndpoint(it, pool, sources)),
    ...(own === undefined
      ? await ofAuthority(defaultHosts(region.domain, names), sources)
      : [
          {
            hostname: `*.${region.domain}`,
            fingerprint: digestOf(own),
            text: async () => own,
          },
        ]),
  ]
}

function ofEndpoint(
  { hostname, fingerprint, endpoint }: EndpointCertificate,
  pool: Pool,
  { secrets }: CertificateSources,
): WantedCertificate {
  return {
    hostname,
    fingerprint,
    async text() {
      const found = await certificateToServe(pool, endpoint)
      if (!found) return undefined
      const privateKey = openedKey(found.privateKey, endpoint, secrets)
      return `${found.chain.trimEnd()}\n${privateKey.trimEnd()}\n`
    },
  }
}

function openedKey(sealed: Buffer, endpoint: SniEndpointId, secrets: SecretBox): string {
  try {
    return secrets.open(sealed, endpoint)
  } catch (error) {
    throw new UnusableCertificate('its private key cannot be opened', { cause: error })
  }
}

async function ofAuthority(
  hosts: readonly string[],
  { authority, clock }: CertificateSources,
): Promise<WantedCertificate[]> {
  const signer = digestOf((await contentOf(authority)) ?? '')
  return hosts.map((hostname) => ({
    hostname,
    fingerprint: `${spanOf(clock.now(), hostname)}-${signer}`,
    async text() {
      try {
        return await localCertificate(hostname, authority)
      } catch (error) {
        throw new UnusableCertificate('it cannot be made', { cause: error })
      }
    },
  }))
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}
