import type { Account, App } from '../model/app.ts'
import { SOONEST_RETRY } from '../model/acm.ts'
import { Problem } from '../model/problem.ts'
import {
  acmeDirectory,
  bringAcmForward,
  setAcm as set,
  wakeCertificates,
} from '../store/acme.ts'
import type { Queryable } from '../store/queryable.ts'
import { lockLatestApp } from './lock-latest-app.ts'
import { lockPresentApp } from './lock-present-app.ts'
import { noteDomainChange } from './note-domain-change.ts'

/**
 * Has the certificates of the app's custom domains got and renewed by themselves, or ends
 * that; those that came so go with it. Domains with a certificate of the user's keep it.
 */
export async function setAcm(
  tx: Queryable,
  app: App,
  { on, account }: { readonly on: boolean; readonly account: Account },
): Promise<void> {
  await lockPresentApp(tx, app.id)
  if (on && !(await acmeDirectory(tx))) {
    const message =
      'This installation has no authority to ask for certificates: its operator names one by ./mayfly up --acme-directory URL.'
    throw new Problem('invalid_params', message)
  }
  await set(tx, app.id, on)
  await wakeCertificates(tx, app)
  const verb = on ? 'Enable' : 'Disable'
  await noteDomainChange(
    tx,
    app,
    `${verb} automatic certificates by user ${account.email}`,
  )
}

/** Has those that failed tried again now, or as soon as it may be. */
export async function refreshAcm(tx: Queryable, app: App): Promise<void> {
  const { acm } = await lockLatestApp(tx, app)
  if (!acm) {
    const message = 'The app has no automatic certificates: heroku certs:auto:enable.'
    throw new Problem('invalid_params', message)
  }
  await bringAcmForward(tx, app.id, SOONEST_RETRY)
  await wakeCertificates(tx, app)
}
