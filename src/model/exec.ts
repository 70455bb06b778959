/**
 * `heroku ps:exec`, `ps:copy`, `ps:forward` and `ps:socks`: the client makes a pair of keys,
 * has the public one noted for a dyno, and then comes by SSH, always to port 80.
 */

import { HOUR } from '../lib/clock.ts'

/** The CLI knows no other. */
export const EXEC_PORT = 80
/** At most. `ps:socks` makes a new connection for each of its clients, as long as it runs. */
export const RESERVED_FOR = 24 * HOUR
/** Of an account: a script that copies a file each minute has them for most of a day. */
export const MOST_RESERVATIONS = 1000

/** What the SSH server says of itself to those who send clients to it. */
export type ExecDoor =
  | {
      readonly host: string
      /** As `known_hosts` has it: `ssh-ed25519 AAAA…`. */
      readonly publicKey: string
    }
  /** Why there is none, in a sentence. */
  | { readonly failure: string }

/**
 * Where this machine's clients find it: an address of the loopback range that nothing else
 * uses, for port 80 of 127.0.0.1 may be a web server's. No two installations of a machine
 * share an API port.
 */
export function execAddress(apiPort: number): string {
  return `127.80.${apiPort >> 8}.${apiPort & 0xff}`
}

/** Letters, its comment included: of RSA with 16,384 bits, which OpenSSH makes none above, they are 2,772. */
export const LONGEST_KEY = 4096
const KEY =
  /^(ssh-rsa|ssh-ed25519|ecdsa-sha2-nistp(?:256|384|521)) ([A-Za-z0-9+/]+={0,2})(?: |$)/

/** The key of a line of `authorized_keys` without its comment; undefined: it is none. */
export function publicKeyIn(line: string): string | undefined {
  if (line.length > LONGEST_KEY) return undefined
  const [, type, blob] = KEY.exec(line.trim()) ?? []
  if (!type || !blob) return undefined
  // The blob begins with the type's name, its length before it.
  const bytes = Buffer.from(blob, 'base64')
  const named = bytes.length > 4 && bytes.toString('latin1', 4, 4 + bytes.readUInt32BE())
  return named === type ? `${type} ${blob}` : undefined
}

const TERM = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/

/** The command of a session that has a terminal, which knows it by this name. */
export function onTerminal(command: string, term: string): string {
  return `export TERM=${TERM.test(term) ? term : 'dumb'}\n${command}`
}

/** Debian's; part of the stack. */
export const SFTP_COMMAND = 'exec /usr/lib/openssh/sftp-server'

const HOST = /^[A-Za-z0-9:][A-Za-z0-9.:_-]{0,253}$/

/** The command that connects to a port as the dyno reaches it; undefined: it is no address. */
export function connectCommand(
  host: string,
  port: number,
  relay: string,
): string | undefined {
  if (!HOST.test(host) || !Number.isInteger(port) || port < 1 || port > 65535) {
    return undefined
  }
  return `exec perl -e ${quoted(relay)} ${host} ${port}`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
