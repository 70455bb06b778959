/** The rows that an installation begins with: its regions, its owner, the owner's API key. */

import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'

import type { Pool } from 'pg'

import { newId } from '../model/ids.ts'
import { acmeDirectory, setAcmeDirectory } from '../store/acme.ts'
import { ensureAccount, ensureAuthorization } from '../store/accounts.ts'
import { isBelow } from '../model/hostname.ts'
import { allDomains } from '../store/domains.ts'
import { ensureRegion } from '../store/ensure-region.ts'
import { inTransaction, type Queryable } from '../store/queryable.ts'
import type { Installation } from './data-directory.ts'
import { Refusal } from './refusal.ts'

const OWNER = { email: 'mayfly@localhost', name: 'Mayfly' }

const geography: Readonly<Record<string, Geography>> = {
  us: { description: 'United States', country: 'United States', locale: 'Virginia' },
  eu: { description: 'Europe', country: 'Ireland', locale: 'Dublin' },
}

interface Geography {
  readonly description: string
  readonly country: string
  readonly locale: string
}

/** Idempotent: what is there stays. Resolves to what a person should know. */
export async function ensureFirstRows(
  pool: Pool,
  { domain, regions, acme }: Installation,
  apiKey: string,
): Promise<string[]> {
  return inTransaction(pool, async (tx) => {
    await mustBeNobodys(tx, domain)
    for (const region of regions) {
      await ensureRegion(tx, { ...whereIs(region.name), ...region, domain })
    }
    const said = await tellAcmeDirectory(tx, acme)
    const owner = await ensureAccount(tx, { id: newId(), ...OWNER })
    await ensureAuthorization(tx, {
      id: newId(),
      account: owner.id,
      sha256: createHash('sha256').update(apiKey).digest(),
      description: 'Mayfly on this machine',
    })
    return said
  })
}

/** A file that was there when it was named, and is not any more, is no reason for nothing to run. */
async function tellAcmeDirectory(
  tx: Queryable,
  acme: Installation['acme'],
): Promise<string[]> {
  if (!acme) {
    await setAcmeDirectory(tx, undefined)
    return []
  }
  const { directory: url, email = null, trusted: file } = acme
  if (file === undefined || existsSync(file)) {
    const trusted = file === undefined ? null : readFileSync(file, 'utf8')
    await setAcmeDirectory(tx, { url, email, trusted })
    return []
  }
  const before = await acmeDirectory(tx)
  const trusted = before?.url === url ? before.trusted : null
  await setAcmeDirectory(tx, trusted === null ? undefined : { url, email, trusted })
  const so =
    trusted === null ? 'no certificates are got' : 'it is trusted what it said before'
  return [
    `--acme-trusted ${file} is not there any more: ${so}. Put it back, or name another.`,
  ]
}

/** An app's custom domain would be another app's default one. */
async function mustBeNobodys(tx: Queryable, domain: string): Promise<void> {
  const taken = (await allDomains(tx)).filter((it) => isBelow(it, domain))
  if (taken.length === 0) return
  throw new Refusal(
    `--domain ${domain} can't be: an app has ${taken[0]} as a custom domain of its own.`,
  )
}

function whereIs(name: string): Geography {
  return geography[name] ?? { description: name, country: name, locale: name }
}
