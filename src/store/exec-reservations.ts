/** Clients that may come by SSH, and the dyno each may enter. */

import type { Dyno } from '../model/dyno.ts'
import type { AccountId, AppId, DynoId } from '../model/ids.ts'
import type { Queryable } from './queryable.ts'

export interface NewExecReservation {
  readonly clientUser: string
  readonly dyno: DynoId
  readonly account: AccountId
  /** `ssh-rsa AAAA…`. */
  readonly clientKey: string
  /** Sealed for the app. */
  readonly environment: Buffer
}

export async function addExecReservation(
  tx: Queryable,
  it: NewExecReservation,
): Promise<void> {
  await tx.query(
    `insert into exec_reservations (client_user, dyno, account, client_key, environment)
     values ($1, $2, $3, $4, $5)`,
    [it.clientUser, it.dyno, it.account, it.clientKey, it.environment],
  )
}

export interface ExecReservation {
  readonly clientUser: string
  readonly clientKey: string
  readonly environment: Buffer
  readonly app: AppId
  readonly email: string
  readonly dyno: Pick<Dyno, 'id' | 'type' | 'ordinal'> & { readonly region: string }
}

/** Undefined: there is none, its dyno is not up any more, or it is older than so many milliseconds. */
export async function findExecReservation(
  db: Queryable,
  clientUser: string,
  longest: number,
): Promise<ExecReservation | undefined> {
  const { rows } = await db.query(
    `select r.client_user as "clientUser", r.client_key as "clientKey", r.environment, d.app,
            a.email, json_build_object('id', d.id, 'type', d.type, 'ordinal', d.ordinal,
                                       'region', d.region) as dyno
       from exec_reservations r
       join dynos d on d.id = r.dyno
       join accounts a on a.id = r.account
      where r.client_user = $1 and d.state = 'up'
        and r.created_at > now() - make_interval(secs => $2 / 1000.0)`,
    [clientUser, longest],
  )
  return (rows as ExecReservation[])[0]
}
