/**
 * HAProxy's lines for clients that come by TLS. Its certificates come and go at run time:
 * see bring-certificates.ts.
 */

import { idOfAnswered } from './request-rules.ts'
import type { RouterPaths } from './router-paths.ts'
import { CHALLENGE_PATH } from './routing-table.ts'

export interface TlsSettings {
  /** `127.0.0.1:8443`; as HAProxy's `bind` takes it. */
  readonly listen: readonly string[]
  /** What clients are told in a redirect. */
  readonly port: number
  /** For clients that name no host: certificate and private key in one file. */
  readonly certificate: string
}

/** Mozilla's "intermediate" list of 2024, without the suites that need parameters of their own. */
const CIPHERS = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

export const TLS_GLOBALS = `  ssl-default-bind-options ssl-min-ver TLSv1.2
  ssl-default-bind-ciphers ${CIPHERS}
`

export function tlsBinds(
  { listen }: TlsSettings,
  { certificateList, successorTlsSocket }: RouterPaths,
  owner: string,
): string {
  const ssl = `ssl crt-list ${certificateList} alpn h2,http/1.1`
  return `${listen.map((address) => `  bind ${address} name https ${ssl}\n`).join('')}  bind unix@${successorTlsSocket} name https accept-proxy mode 600${owner}
`
}

/**
 * Of apps that are for TLS alone: see `wishesOf`. A method other than GET and HEAD must be kept by
 * who follows, so they get 308 (RFC 9110, 15.4.9). `but`: a condition more.
 */
export function redirectRules({ port }: TlsSettings, but = ''): string {
  const place = `https://%[var(txn.host),host_only]${port === 443 ? '' : `:${port}`}%[pathq]`
  const when = '{ var(txn.entry),field(3,/) -m sub https } { so_name http }' + but
  return `${idOfAnswered(`${when} `)}
  http-request redirect code 301 location ${place} if ${when} { method GET HEAD }
  http-request redirect code 308 location ${place} if ${when}
`
}

/**
 * Answers an authority that asks whether a domain is ours (ACME's HTTP-01, RFC 8555, 8.3); for
 * what we did not ask for ourselves the app is asked, as for everything else.
 */
export function challengeRules({ challengesMap }: RouterPaths): string {
  const answer = `path,map(${challengesMap})`
  return `  http-request return status 200 content-type application/octet-stream lf-string %[${answer}] if { path -m beg ${CHALLENGE_PATH} } { ${answer} -m found }
`
}
