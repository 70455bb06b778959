/**
 * HAProxy's lines for clients that come by TLS. Its certificates come and go at run time:
 * see bring-certificates.ts.
 */

import type { RouterPaths } from './router-paths.ts'

export interface TlsSettings {
  /** `127.0.0.1:8443`; as HAProxy's `bind` takes it. */
  readonly listen: readonly string[]
  /** What apps are told in X-Forwarded-Port, and clients in a redirect. */
  readonly port: number
  /** For clients that name no host: certificate and private key in one file. */
  readonly certificate: string
}

export const CHALLENGE_PATH = '/.well-known/acme-challenge/'

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
  return `${listen.map((address) => `  bind ${address} name tls ${ssl}\n`).join('')}  bind unix@${successorTlsSocket} name tls accept-proxy mode 600${owner}
`
}

/** `txn.tls` is the version, or `unknown` where a reloaded worker hands its requests on. */
export const TLS_VERSION = `  http-request set-var(txn.tls) str(unknown) if { so_name tls }
  http-request set-var(txn.tls) ssl_fc_protocol if { ssl_fc }
`

export function forwardedByTls({ port }: TlsSettings): string {
  return `  http-request set-header X-Forwarded-Proto https if { var(txn.tls) -m found }
  http-request set-header X-Forwarded-Port ${port} if { var(txn.tls) -m found }
`
}

/**
 * For apps that want it: see `wishesOf` in routing-table.ts. A method other than GET and HEAD
 * must be kept by who follows, so they get 308 (RFC 9110, 15.4.9).
 */
export function redirectRules({ port }: TlsSettings): string {
  const place = `https://%[var(txn.host),host_only]${port === 443 ? '' : `:${port}`}%[pathq]`
  const when = '{ var(txn.entry) -m sub /https/ } !{ var(txn.tls) -m found }'
  return `  http-request redirect code 301 location ${place} if ${when} { method GET HEAD }
  http-request redirect code 308 location ${place} if ${when}
`
}

/**
 * Answers an authority that asks whether a domain is ours (ACME's HTTP-01, RFC 8555, 8.3); for
 * what we did not ask for ourselves the app is asked, as for everything else.
 */
export function challengeRules({ challengesMap }: RouterPaths): string {
  const when = `{ path -m beg ${CHALLENGE_PATH} } { path,map(${challengesMap}) -m found }`
  return `  http-request set-log-level silent if ${when}
  http-request return status 200 content-type application/octet-stream lf-string %[path,map(${challengesMap})] if ${when}
`
}
