import { randomBytes } from 'node:crypto'

import type { SecretBox } from '../lib/secret-box.ts'
import type { Account } from '../model/app.ts'
import { digestOfRecoveryCode, newRecoveryCodes } from '../model/recovery-code.ts'
import { otpauthUrl, TOTP_SECRET_BYTES } from '../model/totp.ts'
import type { Queryable } from '../store/queryable.ts'
import { keepTwoFactor } from '../store/two-factors.ts'

/** What its owner is told, once. */
export interface TwoFactor {
  /** For an authenticator. */
  readonly url: string
  readonly recoveryCodes: readonly string[]
}

/** Instead of the one there was, if any. */
export async function setTwoFactor(
  tx: Queryable,
  account: Account,
  secrets: SecretBox,
): Promise<TwoFactor> {
  const secret = randomBytes(TOTP_SECRET_BYTES)
  const recoveryCodes = newRecoveryCodes()
  await keepTwoFactor(tx, account.id, {
    secret: secrets.seal(secret.toString('base64'), account.id),
    recoveryCodes: recoveryCodes.map(digestOfRecoveryCode),
  })
  return { url: otpauthUrl(secret, account.email), recoveryCodes }
}
