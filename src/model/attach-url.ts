/**
 * Where a client finds the process it was promised. Whoever knows the secret is that client.
 * It is in small hexadecimal digits, for the front door takes capitals for HTTP.
 * The host is one that the front door's certificate is for: the CLI insists on it.
 */

interface Door {
  readonly apiPort: number
}

export function attachUrl({ apiPort }: Door, secret: string): string {
  return `rendezvous://localhost:${apiPort}/${secret}`
}
