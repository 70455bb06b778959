/** The rows that an installation begins with: its regions, its owner, the owner's API key. */

import { createHash } from 'node:crypto'

import type { Pool } from 'pg'

import { newId } from '../model/ids.ts'
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

/** Idempotent: what is there stays. */
export async function ensureFirstRows(
  pool: Pool,
  { domain, regions }: Installation,
  apiKey: string,
): Promise<void> {
  await inTransaction(pool, async (tx) => {
    await mustBeNobodys(tx, domain)
    for (const region of regions) {
      await ensureRegion(tx, { ...whereIs(region.name), ...region, domain })
    }
    const owner = await ensureAccount(tx, { id: newId(), ...OWNER })
    await ensureAuthorization(tx, {
      id: newId(),
      account: owner.id,
      sha256: createHash('sha256').update(apiKey).digest(),
      description: 'Mayfly on this machine',
    })
  })
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
