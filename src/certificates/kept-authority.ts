/** The authority that the installation has its certificates from, as a client that is kept. */

import type { Pool } from 'pg'

import type { SecretBox } from '../lib/secret-box.ts'
import {
  acmeAccount,
  type AcmeDirectory,
  addAcmeAccount,
  recordAcmeAccount,
} from '../store/acme.ts'
import { type Authority, authorityOf, newPrivateKey } from './authority.ts'

/**
 * The installation registers with an authority the first time. It is kept, with its connections,
 * until something goes wrong with it: what the library then knows of it may be why.
 */
export function keepAuthority(
  pool: Pool,
  secrets: SecretBox,
): (directory: AcmeDirectory, signal: AbortSignal) => Promise<Authority> {
  let kept: { readonly of: string; readonly authority: Authority } | undefined

  return async (directory, signal) => {
    const account =
      (await acmeAccount(pool, directory.url, secrets)) ??
      (await addAcmeAccount(pool, directory.url, await newPrivateKey(), secrets))
    let { url } = account
    if (url === null) {
      url = await authorityOf(directory, account).register(signal)
      await recordAcmeAccount(pool, directory.url, url)
    }
    const of = JSON.stringify([directory, url])
    if (kept?.of !== of) {
      const forget = () => (kept = undefined)
      kept = {
        of,
        authority: watched(authorityOf(directory, { ...account, url }), forget),
      }
    }
    return kept.authority
  }
}

/** Says `failed` when a call has. */
function watched(authority: Authority, failed: () => void): Authority {
  const noted = async <T>(call: Promise<T>): Promise<T> => {
    try {
      return await call
    } catch (error) {
      failed()
      throw error
    }
  }
  return {
    register: (...its) => noted(authority.register(...its)),
    order: (...its) => noted(authority.order(...its)),
    tell: (...its) => noted(authority.tell(...its)),
    fetch: (...its) => noted(authority.fetch(...its)),
  }
}
