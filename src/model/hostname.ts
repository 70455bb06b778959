/** Hostnames of custom domains: RFC 1123, as DNS has them, with a wildcard in front at most. */

import { domainToASCII } from 'node:url'

const LONGEST = 253
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const WILDCARD = '*.'

/** As DNS has it: in small letters, `bücher.example` as `xn--bcher-kva.example`. Undefined: it is none. */
export function hostnameIn(text: string): string | undefined {
  const isWildcard = text.startsWith(WILDCARD)
  const rest = isWildcard ? text.slice(WILDCARD.length) : text
  // Of a path or a port a parser would make something.
  if (/[\s/:@?#\\%[\]*]/.test(rest)) return undefined
  const ascii = domainToASCII(rest.endsWith('.') ? rest.slice(0, -1) : rest)
  const labels = ascii.split('.')
  if (labels.length < 2 || !labels.every((it) => LABEL.test(it))) return undefined
  // An address is no name, whatever it is written as.
  if (/^\d+$/.test(labels.at(-1) ?? '')) return undefined
  const hostname = `${isWildcard ? WILDCARD : ''}${ascii}`
  return hostname.length <= LONGEST ? hostname : undefined
}

/** Whether a default domain of the region's apps could be it, or lies below one. */
export function isBelow(hostname: string, domain: string): boolean {
  const plain = hostname.startsWith(WILDCARD) ? hostname.slice(WILDCARD.length) : hostname
  return plain === domain || plain.endsWith(`.${domain}`)
}
