import { type Clock, DAY, later } from '../lib/clock.ts'
import { newId } from '../model/ids.ts'
import { digestOf, newToken } from '../model/token.ts'
import { type BrowserLogin, takeGrantedLogin } from '../store/browser-logins.ts'
import type { Queryable } from '../store/queryable.ts'
import { makeAuthorization } from './make-authorization.ts'

/** As the CLI asks for where it makes one itself: `heroku logout` revokes what has an end. */
const LASTS = 30 * DAY

/**
 * A token for the CLI whose login was granted; undefined where another took it, or it was taken back.
 */
export async function endBrowserLogin(
  tx: Queryable,
  clock: Clock,
  { id, description }: Pick<BrowserLogin, 'id' | 'description'>,
): Promise<string | undefined> {
  const account = await takeGrantedLogin(tx, id)
  if (account === undefined) return undefined
  const token = newToken()
  await makeAuthorization(tx, {
    id: newId(),
    account,
    sha256: digestOf(token),
    description,
    byLogin: true,
    expiresAt: later(clock.now(), LASTS),
  })
  return token
}
