/**
 * The installation's secrets, made once. Each file appears whole, by a rename, and the one
 * that says "done" comes last, so set-up may be killed at any moment and begun again.
 */

import { randomBytes } from 'node:crypto'
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import { KEY_BYTES } from '../lib/secret-box.ts'
import { authorityRequest, serverRequest } from '../model/certificate-request.ts'
import type { DataDirectory, Installation } from './data-directory.ts'
import { makeCertificate, place } from './make-certificate.ts'
import { ensureRouterKeys } from './router-keys.ts'
import { groupId, userId } from './users.ts'

/** All but those of the apps' domain. */
export async function ensureKeys(
  data: DataDirectory,
  installation: Installation,
): Promise<void> {
  const { keys } = data
  const api = userId('mayfly-api')
  if (!existsSync(keys.configVars)) {
    place(keys.configVars, randomBytes(KEY_BYTES), { mode: 0o400, owner: api })
  }
  // Of the group of `logs`, which delivers webhooks and must not read config vars. An earlier
  // version let every part read it.
  const group = groupId('mayfly-logs')
  if (!existsSync(keys.webhooks)) {
    place(keys.webhooks, randomBytes(KEY_BYTES), { mode: 0o440, owner: api, group })
  }
  chownSync(keys.webhooks, api, group)
  if (!existsSync(keys.apiKey)) {
    place(keys.apiKey, `HRKU-${randomBytes(24).toString('hex')}\n`, {
      mode: 0o600,
      owner: 0,
    })
  }

  await withDrafts(data, async (drafts) => {
    if (!existsSync(keys.ca)) {
      const name = `Mayfly ${installation.id} certificate authority`
      const ca = await makeCertificate(drafts, authorityRequest(name))
      place(keys.caPrivateKey, ca.privateKey, { mode: 0o600, owner: 0 })
      place(keys.ca, ca.certificate, { mode: 0o644, owner: 0 })
      rmSync(keys.certificate, { force: true })
    }
    if (!existsSync(keys.certificate)) {
      const request = serverRequest('localhost', 'DNS:localhost, IP:127.0.0.1, IP:::1')
      const signer = { certificate: keys.ca, key: keys.caPrivateKey }
      const server = await makeCertificate(drafts, request, signer)
      place(keys.privateKey, server.privateKey, { mode: 0o400, owner: api })
      place(keys.certificate, server.certificate, { mode: 0o644, owner: 0 })
    }
  })
}

/** Of the apps' domain, once it is known that it can be that: for another they are made anew. */
export async function ensureDomainKeys(
  data: DataDirectory,
  installation: Installation,
): Promise<void> {
  await withDrafts(data, (drafts) => ensureRouterKeys(data.keys, installation, drafts))
}

async function withDrafts(
  { keys }: DataDirectory,
  work: (drafts: string) => Promise<void>,
): Promise<void> {
  const drafts = join(keys.directory, 'drafts')
  rmSync(drafts, { recursive: true, force: true })
  mkdirSync(drafts, { mode: 0o700 })
  await work(drafts)
  rmSync(drafts, { recursive: true })
}

export function readApiKey(data: DataDirectory): string {
  return readFileSync(data.keys.apiKey, 'utf8').trim()
}
