/**
 * Keeps HAProxy's certificates to those that are wanted, without a reload. Its list on disk,
 * from which it starts, has only what it once took: one that it refuses keeps no other from
 * being served, and HAProxy from starting.
 */

import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import type { ServedCertificate } from '../model/served-certificate.ts'
import { ask } from './haproxy-socket.ts'
import {
  type ListedCertificate,
  listedAs,
  listText,
  type LiveCertificates,
  missingCertificates,
  parseLiveCertificates,
  planCertificates,
} from './plan-certificates.ts'
import type { Files } from './router-files.ts'
import type { RouterPaths } from './router-paths.ts'

export interface CertificateDeps {
  readonly paths: RouterPaths
  readonly files: Files
  /** For clients that name no host. */
  readonly defaultCertificate: string
}

/** A certificate that is to be served. */
export interface WantedCertificate extends ServedCertificate {
  /** Certificate chain and private key, PEM; undefined: it is gone. */
  text(): Promise<string | undefined>
}

/** The list must be there for HAProxy to start. */
export async function ensureCertificateList({
  paths,
  files,
  defaultCertificate,
}: CertificateDeps): Promise<void> {
  await mkdir(paths.certificates, { recursive: true, mode: 0o700 })
  if (await files.holds(paths.certificateList, `${defaultCertificate}\n`)) return
  await files.write(paths.certificateList, listText(defaultCertificate, []))
}

/** Throws when HAProxy did not take one, with its host; the others are served. */
export async function bringCertificates(
  served: readonly WantedCertificate[],
  deps: CertificateDeps,
): Promise<void> {
  const { paths } = deps
  const live = await liveCertificates(paths)
  if (!live) return
  const wanted = listedAs(served, paths)
  const texts = await writtenTexts(missingCertificates(wanted, live))
  const commands = planCertificates(wanted, live, { list: paths.certificateList, texts })
  const after = commands.length === 0 ? live : await carriedOut(commands, paths)
  if (!after) return
  await keep(after.listed, deps)
  const refused = missingCertificates(wanted, after).filter(({ file }) => texts.has(file))
  if (refused.length > 0) {
    const hosts = refused.map((it) => it.hostname).join(', ')
    throw new Error(`HAProxy did not take the certificate of ${hosts}`)
  }
}

/** HAProxy is given what is in the files from which it would start. */
async function writtenTexts(
  missing: readonly (ListedCertificate & WantedCertificate)[],
): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>()
  for (const certificate of missing) {
    const { file } = certificate
    const text = await certificate.text()
    if (text === undefined) continue
    await writeFile(`${file}.next`, text, { mode: 0o600, flush: true })
    await rename(`${file}.next`, file)
    texts.set(file, text)
  }
  return texts
}

async function carriedOut(
  commands: readonly string[],
  paths: RouterPaths,
): Promise<LiveCertificates | undefined> {
  const answer = await ask(paths.adminSocket, commands)
  if (answer.is === 'failed') throw answer.error
  return liveCertificates(paths)
}

/** What HAProxy has now is what it is to start from; other files are nobody's. */
async function keep(
  listed: readonly ListedCertificate[],
  { paths, files, defaultCertificate }: CertificateDeps,
): Promise<void> {
  await files.write(paths.certificateList, listText(defaultCertificate, listed))
  const kept = new Set(listed.map((it) => it.file))
  const present = await readdir(paths.certificates)
  for (const file of present.map((name) => join(paths.certificates, name))) {
    if (!kept.has(file)) await rm(file, { force: true })
  }
}

/** Undefined: no HAProxy runs. */
async function liveCertificates(
  paths: RouterPaths,
): Promise<LiveCertificates | undefined> {
  const questions = [`show ssl crt-list -n ${paths.certificateList}`, 'show ssl cert']
  const answer = await ask(paths.adminSocket, questions)
  if (answer.is === 'failed') throw answer.error
  return answer.is === 'absent' ? undefined : parseLiveCertificates(answer.text, paths)
}
