/** What a router is told of a certificate: for which host it is, not what is in it. */

export interface ServedCertificate {
  /** `www.example.com`, `*.example.com`. */
  readonly hostname: string
  /** Another certificate for the same host has another one. */
  readonly fingerprint: string
}
