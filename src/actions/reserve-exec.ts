import { randomBytes } from 'node:crypto'

import type { SecretBox } from '../lib/secret-box.ts'
import { enabledFeatures } from '../model/app-features.ts'
import type { Account, App } from '../model/app.ts'
import { type Dyno, placeOf } from '../model/dyno.ts'
import { MOST_RESERVATIONS, publicKeyIn, RESERVED_FOR } from '../model/exec.ts'
import { Problem } from '../model/problem.ts'
import type { AuthorizationId } from '../store/accounts.ts'
import { switchesOf } from '../store/app-features.ts'
import { addExecReservation, forgetExecReservations } from '../store/exec-reservations.ts'
import { writeLogLines } from '../store/log-lines.ts'
import type { Queryable } from '../store/queryable.ts'

export interface ExecWish {
  readonly app: Pick<App, 'id' | 'name'>
  readonly account: Account
  /** The account's token that asks for it. */
  readonly authorization: AuthorizationId
  readonly dyno: Pick<Dyno, 'id' | 'type' | 'ordinal' | 'state'>
  /** As of a line of `authorized_keys`. */
  readonly clientKey: string
}

const NAME_BYTES = 16

/**
 * Lets whoever has this key enter the dyno by SSH, as long as it is up, the token is good and its
 * account may operate the app, and at most a day: where the account has many, in place of its oldest. Returns the name under which to come. A Problem
 * `invalid_params` for a dyno that is not up and for what is no key, `forbidden` where the app
 * does not want it, `unauthorized` where the token has just been revoked.
 */
export async function reserveExec(
  tx: Queryable,
  { app, account, authorization, dyno, clientKey }: ExecWish,
  secrets: SecretBox,
): Promise<string> {
  if (!enabledFeatures(await switchesOf(tx, app.id)).has('runtime-heroku-exec')) {
    throw new Problem(
      'forbidden',
      `Heroku Exec is off for ${app.name}: heroku features:enable runtime-heroku-exec`,
    )
  }
  const place = placeOf(dyno)
  if (dyno.state !== 'up') {
    throw new Problem('invalid_params', `${place} is ${dyno.state}, not up.`)
  }
  const key = publicKeyIn(clientKey)
  if (!key) throw new Problem('invalid_params', 'client_key is no OpenSSH public key.')

  await forgetExecReservations(tx, account.id, MOST_RESERVATIONS - 1)
  const clientUser = randomBytes(NAME_BYTES).toString('hex')
  const added = await addExecReservation(tx, {
    clientUser,
    dyno: dyno.id,
    authorization,
    clientKey: key,
    environment: secrets.seal('{}', app.id),
    longest: RESERVED_FOR,
  })
  if (!added) throw new Problem('unauthorized', 'Invalid credentials provided.')
  const message = `Opened ${place} for Heroku Exec by user ${account.email}`
  await writeLogLines(tx, [{ app: app.id, source: 'app', ps: 'api', message }])
  return clientUser
}
