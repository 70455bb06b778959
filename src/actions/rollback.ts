import type { SecretBox } from '../lib/secret-box.ts'
import type { Account, App } from '../model/app.ts'
import { Problem } from '../model/problem.ts'
import { canRollBackTo, type Release } from '../model/release.ts'
import { lockApp } from '../store/apps.ts'
import type { Queryable } from '../store/queryable.ts'
import { configVarsOf, findRelease } from '../store/releases.ts'
import { createRelease } from './create-release.ts'

export interface RollbackWish {
  readonly app: App['id']
  readonly account: Account
  /** By id or version. */
  readonly release: string
}

/** A new release with the code and the config vars of an earlier one. */
export async function rollback(
  tx: Queryable,
  { app, account, release: identity }: RollbackWish,
  secrets: SecretBox,
): Promise<Release> {
  // Before its slug is looked at, for old ones are destroyed under this lock.
  await lockApp(tx, app)
  const release = await findRelease(tx, app, identity)
  if (!release) throw new Problem('not_found', `Couldn't find that release.`)
  if (!canRollBackTo(release)) {
    throw new Problem(
      'invalid_params',
      `Cannot roll back to v${release.version}: ${reasonAgainst(release)}.`,
    )
  }
  const description = `Rollback to v${release.version}`
  const configVars = await configVarsOf(tx, release, secrets)
  return createRelease(
    tx,
    { app, account, description, slug: release.slug, configVars },
    secrets,
  )
}

function reasonAgainst({ slug, status }: Release): string {
  if (slug === null) return 'it has no code to run'
  if (status === 'expired') return 'its slug was destroyed, as those of old releases are'
  return `it is ${status}`
}
