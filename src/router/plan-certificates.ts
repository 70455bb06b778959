/**
 * Which certificates a running HAProxy must be given and which it must give up: pure
 * functions. A certificate is a file, and its name tells its content and its host, so none is
 * ever changed: a host's new certificate is there before the old one goes.
 */

import { hash } from 'node:crypto'
import { join } from 'node:path'

import type { ServedCertificate } from '../model/served-certificate.ts'
import type { RouterPaths } from './router-paths.ts'

/** Lines of HAProxy's `crt-list`: the file, and which hosts it is for. */
export interface ListedCertificate {
  readonly file: string
  /** The host; where that is a wildcard, then those it is not for, with `!`. */
  readonly filters: string
}

/** What HAProxy has of certificates. */
export interface LiveCertificates {
  readonly listed: readonly ListedCertificate[]
  /** Files it knows, also those that are in no list. */
  readonly known: ReadonlySet<string>
  /** The file whose change was begun and not ended: until it is, no other can be. */
  readonly begun: string | undefined
}

/** A payload must fit HAProxy's buffer. */
const MOST_EXCEPTIONS = 40

/**
 * To clients of TLS 1.3 HAProxy 2.6 shows a wildcard's RSA certificate before the host's own
 * ECDSA one. So a wildcard's is not for hosts that have their own, unless they are too many; it
 * is for those whose own is left out.
 */
export function listedAs<C extends ServedCertificate>(
  served: readonly C[],
  { certificates }: RouterPaths,
  isLeftOut: (it: C) => boolean = () => false,
): (C & ListedCertificate)[] {
  const below = Map.groupBy(
    served.filter((it) => !isLeftOut(it)),
    ({ hostname }) => hostname.replace(/^[^.]+/, '*'),
  )
  return served.map((it) => {
    const { hostname, fingerprint } = it
    const own = (hostname.startsWith('*') ? (below.get(hostname) ?? []) : []).filter(
      (other) => other.hostname !== hostname,
    )
    const exceptions =
      own.length > MOST_EXCEPTIONS ? [] : own.map((o) => `!${o.hostname}`)
    const filters = [hostname, ...exceptions].join(' ')
    return { ...it, file: join(certificates, fileName(filters, fingerprint)), filters }
  })
}

/** A host's name may itself be nearly as long as a file's. */
function fileName(filters: string, fingerprint: string): string {
  return `${hash('sha256', `${filters}\n${fingerprint}`).slice(0, 40)}.pem`
}

/** The file as HAProxy reads it when it starts. */
export function listText(
  defaultCertificate: string,
  listed: readonly ListedCertificate[],
): string {
  const lines = listed.map(({ file, filters }) => `${file} ${filters}`)
  return [defaultCertificate, ...lines].map((line) => `${line}\n`).join('')
}

export function missingCertificates<C extends ListedCertificate>(
  wanted: readonly C[],
  { listed }: Pick<LiveCertificates, 'listed'>,
): C[] {
  const there = new Set(listed.map((it) => it.file))
  return wanted.filter(({ file }) => !there.has(file))
}

/** Commands for one that is missing, `text` being what is in its file. */
export function addition(
  { file, filters }: ListedCertificate,
  text: string,
  { known }: Pick<LiveCertificates, 'known'>,
  list: string,
): string[] {
  return [
    ...(known.has(file) ? [] : [`new ssl cert ${file}`]),
    `set ssl cert ${file} <<\n${text.trimEnd()}\n`,
    `commit ssl cert ${file}`,
    // There is none left, unless HAProxy refused it: then this one must not hold up the next.
    `abort ssl cert ${file}`,
    `add ssl crt-list ${list} <<\n${file} ${filters}\n`,
  ]
}

/**
 * Commands for those that are too many. Of a host whose wanted one is missing, still or for good,
 * the one of before is not.
 */
export function removals(
  wanted: readonly ListedCertificate[],
  live: LiveCertificates,
  list: string,
): string[] {
  const kept = new Set(wanted.map((it) => it.file))
  const waiting = new Set(missingCertificates(wanted, live).map(hostOf))
  const surplus = live.listed.filter(
    (it) => !kept.has(it.file) && !waiting.has(hostOf(it)),
  )
  const listed = new Set(live.listed.map((it) => it.file))
  const refused = [...live.known].filter((file) => !listed.has(file))
  return [
    ...surplus.flatMap(({ file }) => [
      `del ssl crt-list ${list} ${file}`,
      `del ssl cert ${file}`,
    ]),
    ...refused.map((file) => `del ssl cert ${file}`),
  ]
}

function hostOf({ filters }: ListedCertificate): string {
  return filters.split(' ', 1)[0] ?? ''
}

/**
 * The answers to `show ssl crt-list -n LIST` and `show ssl cert`; of the files, those below.
 * In the one a file has its line's number behind it.
 */
export function parseLiveCertificates(
  text: string,
  { certificates }: RouterPaths,
): LiveCertificates {
  const lines = text.split('\n').map((line) => line.trim())
  const ours = lines.filter((line) => line.startsWith(`${certificates}/`))
  const entry = /^(\S+):\d+ (\S.*)$/
  return {
    listed: ours.flatMap((line): ListedCertificate[] => {
      const [, file, filters] = entry.exec(line) ?? []
      return file !== undefined && filters !== undefined ? [{ file, filters }] : []
    }),
    known: new Set(ours.filter((line) => !entry.test(line))),
    begun: lines.find((it) => it.startsWith('*'))?.slice(1),
  }
}
