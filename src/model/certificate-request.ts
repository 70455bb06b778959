/** What OpenSSL is told of a certificate it is to make: X.509, RFC 5280. */

/** For one that may sign others, and none that sign in turn. `more`: further extensions. */
export function authorityRequest(name: string, more: readonly string[] = []): string {
  return request(name, [
    'basicConstraints = critical, CA:TRUE, pathlen:0',
    'keyUsage = critical, keyCertSign, cRLSign',
    'subjectKeyIdentifier = hash',
    ...more,
  ])
}

/** For a server's. `names`: as OpenSSL's subjectAltName takes them, `DNS:localhost`. */
export function serverRequest(name: string, names: string): string {
  return request(name, [
    'basicConstraints = critical, CA:FALSE',
    'keyUsage = critical, digitalSignature',
    'extendedKeyUsage = serverAuth',
    `subjectAltName = ${names}`,
    'authorityKeyIdentifier = keyid',
  ])
}

/** Arguments of `openssl`. `signer`: files with who signs it; without, it signs itself. */
export function makingArguments(
  files: { readonly config: string; readonly key: string; readonly certificate: string },
  days: number,
  signer?: { readonly certificate: string; readonly key: string },
): string[] {
  const by = signer ? ['-CA', signer.certificate, '-CAkey', signer.key] : []
  const manner = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc'.split(' ')
  const to = ['-keyout', files.key, '-out', files.certificate, '-days', String(days)]
  return ['req', '-x509', '-config', files.config, ...manner, ...to, ...by]
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
