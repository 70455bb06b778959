/**
 * Where a client finds the process it was promised. Whoever knows the secret is that client.
 * It is in small hexadecimal digits, for the front door takes capitals for HTTP.
 * The host is one that the front door's certificate is for: the CLI insists on it.
 */

interface Door {
  readonly apiPort: number
}

/** Of a one-off dyno: the CLI speaks the rendezvous protocol there. */
export function attachUrl({ apiPort }: Door, secret: string): string {
  return `rendezvous://localhost:${apiPort}/${secret}`
}

/** Of a process inside a running dyno: the CLI asks for an upgrade, and speaks SSH. */
export function entryUrl({ apiPort }: Door, secret: string): string {
  return `https://localhost:${apiPort}/entries/${secret}`
}
