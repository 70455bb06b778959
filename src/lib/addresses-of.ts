/**
 * The addresses of a name, from /etc/hosts or else from the machine's name servers, for names that
 * somebody chose whom we do not trust. Not by getaddrinfo (`dns.lookup`): of that a process has two under
 * way at once, each waits ten seconds and more for name servers that say nothing, and none can be called off.
 * A name is asked for as it is, and below no search domain of resolv.conf's.
 */

import type { LookupAddress } from 'node:dns'
import { Resolver } from 'node:dns/promises'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'

import { SECOND } from './clock.ts'

export interface Asking {
  readonly signal: AbortSignal
  /** Left out: those of resolv.conf. */
  readonly nameServers?: readonly string[] | undefined
}

/** `code` as getaddrinfo has it: there is no such name, or nobody who knows could be asked. */
export class NoAddress extends Error {
  override readonly name = 'NoAddress'
  readonly code: 'ENOTFOUND' | 'EAI_AGAIN'

  constructor(host: string, code: NoAddress['code']) {
    super(`${host}: ${code}`)
    this.code = code
  }
}

const HOSTS = '/etc/hosts'
const LOOPBACK = ['127.0.0.1', '::1'].map(toAddress)
/** Milliseconds until a name server is asked again, or the next one; then twice as many. */
const TIMEOUT = 2 * SECOND
const TRIES = 3
/** That the name, or an address of this family, is not there, or cannot be. */
const NONE = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME'])

/** IPv4 first, for not every machine has IPv6. Rejects with NoAddress, or what the signal aborted for. */
export async function addressesOf(
  name: string,
  { signal, nameServers }: Asking,
): Promise<LookupAddress[]> {
  const host = name.replace(/\.$/, '').toLowerCase()
  const known = addressesIn(await hostsFile(), host)
  if (known.length > 0) return known
  // RFC 6761: nobody else is asked.
  if (/(^|\.)localhost$/.test(host)) return LOOPBACK

  const resolver = new Resolver({ timeout: TIMEOUT, tries: TRIES })
  if (nameServers) resolver.setServers(nameServers)
  const callOff = () => resolver.cancel()
  signal.throwIfAborted()
  signal.addEventListener('abort', callOff, { once: true })
  const asked = await Promise.allSettled([
    resolver.resolve4(host),
    resolver.resolve6(host),
  ])
  signal.removeEventListener('abort', callOff)
  signal.throwIfAborted()

  const found = asked.flatMap((it) => (it.status === 'fulfilled' ? it.value : []))
  if (found.length > 0) return found.map(toAddress)
  const isNone = asked.every(
    (it) => it.status === 'fulfilled' || NONE.has(it.reason.code),
  )
  throw new NoAddress(host, isNone ? 'ENOTFOUND' : 'EAI_AGAIN')
}

/** What a text as of /etc/hosts says of a host. */
export function addressesIn(hosts: string, host: string): LookupAddress[] {
  return hosts.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/)
    const isOf = names.some((it) => it.toLowerCase() === host)
    // One with a zone is of a link, and nobody can be told by it.
    return isOf && isIP(address) !== 0 && !address.includes('%')
      ? [toAddress(address)]
      : []
  })
}

async function hostsFile(): Promise<string> {
  try {
    return await readFile(HOSTS, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

function toAddress(address: string): LookupAddress {
  return { address, family: isIP(address) }
}
