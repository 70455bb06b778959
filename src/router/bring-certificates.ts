/**
 * Keeps HAProxy's certificates to those that are wanted, without a reload. Its list on disk,
 * from which it starts, has only what it once took: one that it refuses keeps no other from
 * being served, and HAProxy from starting.
 */

import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import type { ServedCertificate } from '../model/served-certificate.ts'
import { askIfPresent } from './haproxy-socket.ts'
import type { LeftOutCertificates } from './left-out-certificates.ts'
import {
  addition,
  type ListedCertificate,
  listedAs,
  listText,
  type LiveCertificates,
  missingCertificates,
  parseLiveCertificates,
  removals,
} from './plan-certificates.ts'
import type { Files } from './router-files.ts'
import type { RouterPaths } from './router-paths.ts'

export interface CertificateListDeps {
  readonly paths: RouterPaths
  readonly files: Files
  /** For clients that name no host. */
  readonly defaultCertificate: string
}

/** A certificate that is to be served. */
export interface WantedCertificate extends ServedCertificate {
  /**
   * Certificate chain and private key, PEM; undefined: it is gone. Throws an `UnusableCertificate`
   * where others can still be had.
   */
  text(): Promise<string | undefined>
}

export class UnusableCertificate extends Error {}

type Wanted = WantedCertificate & ListedCertificate

/** In one look: each takes some 20 ms, and what else changes waits for the next, two seconds at most. */
const MOST_AT_ONCE = 50
/** Letters of what HAProxy says of one. */
const MOST_WORDS = 1000

/** The list must be there for HAProxy to start. */
export async function ensureCertificateList({
  paths,
  files,
  defaultCertificate,
}: CertificateListDeps): Promise<void> {
  await mkdir(paths.certificates, { recursive: true, mode: 0o700 })
  if (await files.holds(paths.certificateList, `${defaultCertificate}\n`)) return
  await files.write(paths.certificateList, listText(defaultCertificate, []))
}

interface BringDeps extends CertificateListDeps {
  readonly leftOut: LeftOutCertificates
}

/** Whether that is all; if not, then there are more to bring at once. */
export async function bringCertificates(
  served: readonly WantedCertificate[],
  deps: BringDeps,
  signal: AbortSignal,
): Promise<boolean> {
  const { paths, leftOut } = deps
  const live = await liveCertificates(paths)
  if (!live) return true
  leftOut.keepThose(served)
  const wanted = listedAs(served, paths, (it) => leftOut.has(it))
  const missing = missingCertificates(wanted, live).filter((it) => leftOut.isDue(it))
  const after = await added(missing.slice(0, MOST_AT_ONCE), live, { ...deps, signal })
  const left = after && (await withoutSurplus(wanted, after, paths))
  if (left) await keep(left.listed, deps)
  return missing.length <= MOST_AT_ONCE && !signal.aborted
}

/** What HAProxy has afterwards; what it does not take is left out. */
async function added(
  missing: readonly Wanted[],
  live: LiveCertificates,
  deps: BringDeps & { readonly signal: AbortSignal },
): Promise<LiveCertificates | undefined> {
  const { paths, leftOut, signal } = deps
  if (live.begun !== undefined) await tell([`abort ssl cert ${live.begun}`], paths)
  const said = new Map<Wanted, string>()
  for (const it of missing) {
    if (signal.aborted) break
    const words = await give(it, live, deps)
    if (words !== undefined) said.set(it, words)
  }
  if (said.size === 0) return live
  const after = await liveCertificates(paths)
  if (!after) return undefined
  const refused = new Set(missingCertificates([...said.keys()], after))
  for (const [it, words] of said) {
    if (refused.has(it)) leftOut.add(it, new Error(`HAProxy refuses it: ${words}`))
    else leftOut.delete(it)
  }
  return after
}

/** What HAProxy said; undefined: it could not be given it. */
async function give(
  it: Wanted,
  live: LiveCertificates,
  { paths, leftOut }: BringDeps,
): Promise<string | undefined> {
  const text = await it.text().catch((error: unknown) => {
    if (!(error instanceof UnusableCertificate)) throw error
    leftOut.add(it, error)
  })
  if (text === undefined) return undefined
  try {
    await write(it.file, text)
  } catch (error) {
    leftOut.add(it, error)
    return undefined
  }
  const words = await tell(addition(it, text, live, paths.certificateList), paths)
  return words
    ?.replaceAll(it.file, 'it')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, MOST_WORDS)
}

async function withoutSurplus(
  wanted: readonly Wanted[],
  live: LiveCertificates,
  paths: RouterPaths,
): Promise<LiveCertificates | undefined> {
  const commands = removals(wanted, live, paths.certificateList)
  if (commands.length === 0) return live
  await tell(commands, paths)
  return liveCertificates(paths)
}

/** HAProxy is given what is in the files from which it would start. */
async function write(file: string, text: string): Promise<void> {
  await writeFile(`${file}.next`, text, { mode: 0o600, flush: true })
  await rename(`${file}.next`, file)
}

/** HAProxy's answers; undefined: none runs. */
function tell(
  commands: readonly string[],
  paths: RouterPaths,
): Promise<string | undefined> {
  return askIfPresent(paths.adminSocket, commands)
}

/** What HAProxy has now is what it is to start from; other files are nobody's. */
async function keep(
  listed: readonly ListedCertificate[],
  { paths, files, defaultCertificate }: CertificateListDeps,
): Promise<void> {
  await files.write(paths.certificateList, listText(defaultCertificate, listed))
  const kept = new Set(listed.map((it) => it.file))
  const present = await readdir(paths.certificates)
  for (const file of present.map((name) => join(paths.certificates, name))) {
    if (!kept.has(file)) await rm(file, { force: true, recursive: true })
  }
}

/** Undefined: no HAProxy runs. */
async function liveCertificates(
  paths: RouterPaths,
): Promise<LiveCertificates | undefined> {
  const questions = [`show ssl crt-list -n ${paths.certificateList}`, 'show ssl cert']
  const answer = await tell(questions, paths)
  return answer === undefined ? undefined : parseLiveCertificates(answer, paths)
}
