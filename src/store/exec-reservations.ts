/** Clients that may come by SSH, and the dyno each may enter. */

import { enabledFeatures } from '../model/app-features.ts'
import type { Dyno } from '../model/dyno.ts'
import type { AccountId, AppId, DynoId } from '../model/ids.ts'
import type { AuthorizationId } from './accounts.ts'
import { switchesOf } from './app-features.ts'
import type { Queryable } from './queryable.ts'
import { standingOn } from './standings.ts'

export interface NewExecReservation {
  readonly clientUser: string
  readonly dyno: DynoId
  /** The token that it is made by, whose account is let in. */
  readonly authorization: AuthorizationId
  /** `ssh-rsa AAAA…`. */
  readonly clientKey: string
  /** Sealed for the app. */
  readonly environment: Buffer
  /** Milliseconds, unless its token expires before. */
  readonly longest: number
}

/** It goes with its dyno, and with its token. Says false where the token is gone already. */
export async function addExecReservation(
  tx: Queryable,
  it: NewExecReservation,
): Promise<boolean> {
  const { rows } = await tx.query(
    `insert into exec_reservations
            (client_user, dyno, account, "authorization", client_key, environment, expires_at)
     select $1, $2, account, id, $4, $5,
            least(expires_at, now() + make_interval(secs => $6 / 1000.0))
       from authorizations where id = $3
     returning true`,
    [it.clientUser, it.dyno, it.authorization, it.clientKey, it.environment, it.longest],
  )
  return rows.length === 1
}

/** Those of the account that have expired, and the oldest of the others beyond so many. */
export async function forgetExecReservations(
  tx: Queryable,
  account: AccountId,
  but: number,
): Promise<void> {
  await tx.query(
    `delete from exec_reservations
      where account = $1
        and (expires_at <= now()
             or client_user in (
               select client_user from exec_reservations
                where account = $1 and expires_at > now()
                order by created_at desc, client_user offset $2))`,
    [account, but],
  )
}

export interface ExecReservation {
  readonly clientUser: string
  readonly clientKey: string
  readonly environment: Buffer
  readonly app: AppId
  readonly account: AccountId
  readonly email: string
  readonly dyno: Pick<Dyno, 'id' | 'type' | 'ordinal' | 'state'> & {
    readonly region: string
  }
}

/**
 * Undefined: there is none, it has expired, its token was revoked, its account may not operate the
 * app any more, or the app has Heroku Exec off by now.
 */
export async function findExecReservation(
  db: Queryable,
  clientUser: string,
): Promise<ExecReservation | undefined> {
  const { rows } = await db.query(
    `select r.client_user as "clientUser", r.client_key as "clientKey", r.environment, d.app,
            a.id as account, a.email,
            json_build_object('id', d.id, 'type', d.type, 'ordinal', d.ordinal,
                              'state', d.state, 'region', d.region) as dyno
       from exec_reservations r
       join dynos d on d.id = r.dyno
       join accounts a on a.id = r.account
      where r.client_user = $1 and r.expires_at > now()`,
    [clientUser],
  )
  const [reservation] = rows as ExecReservation[]
  const standing =
    reservation && (await standingOn(db, reservation.account, reservation.app))
  if (!reservation || !standing?.permissions.includes('operate')) return undefined
  const on = enabledFeatures(await switchesOf(db, reservation.app))
  return on.has('runtime-heroku-exec') ? reservation : undefined
}
