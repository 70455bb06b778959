/** A CLI's login by a browser that the account's owner has granted, and that nobody has been told of yet. */

import type { Pool } from 'pg'

import { later, MINUTE } from '../src/lib/clock.ts'
import { type AccountId, newId } from '../src/model/ids.ts'
import { digestOf, newToken } from '../src/model/token.ts'
import { addBrowserLogin, moveBrowserLogin } from '../src/store/browser-logins.ts'

export async function aGrantedLogin(pool: Pool, account: AccountId) {
  const id = newId<'browser login'>()
  const cliSha256 = digestOf(newToken())
  await addBrowserLogin(pool, {
    id,
    cliSha256,
    pageSha256: digestOf(newToken()),
    description: 'Heroku CLI login from a test',
    address: '127.0.0.1',
    expiresAt: later(new Date(), MINUTE),
  })
  await moveBrowserLogin(pool, id, { state: 'granted', account })
  return { id, cliSha256 }
}
