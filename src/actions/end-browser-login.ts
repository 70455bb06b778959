import { type Clock, DAY, later } from '../lib/clock.ts'
import { newId } from '../model/ids.ts'
import { digestOf, newToken } from '../model/token.ts'
import type { AuthorizationId } from '../store/accounts.ts'
import { writeAudit } from '../store/audit.ts'
import { type BrowserLogin, takeGrantedLogin } from '../store/browser-logins.ts'
import type { Queryable } from '../store/queryable.ts'
import { makeAuthorization } from './make-authorization.ts'

/** As the CLI asks for where it makes one itself: `heroku logout` revokes what has an end. */
const LASTS = 30 * DAY

/** Who fetches the token. */
export interface WaitingCli {
  readonly address: string
  /** Its `Request-Id`. */
  readonly request: string
}

/**
 * A token for the CLI whose login was granted; undefined where another took it, or it was taken back. The
 * audit log has it from here, not from what is common to all routes: the CLI asks by a GET, as nobody.
 */
export async function endBrowserLogin(
  tx: Queryable,
  clock: Clock,
  {
    login: { id, description },
    by,
  }: {
    readonly login: Pick<BrowserLogin, 'id' | 'description'>
    readonly by: WaitingCli
  },
): Promise<string | undefined> {
  const account = await takeGrantedLogin(tx, id)
  if (account === undefined) return undefined
  const token = newToken()
  const authorization: AuthorizationId = newId()
  await makeAuthorization(tx, {
    id: authorization,
    account: account.id,
    sha256: digestOf(token),
    description,
    byLogin: true,
    expiresAt: later(clock.now(), LASTS),
  })
  await writeAudit(tx, {
    account: account.id,
    email: account.email,
    authorization: null,
    ...by,
    method: 'GET',
    route: '/auth/cli/:login',
    nouns: { made: authorization },
    app: null,
    status: 200,
  })
  return token
}
