import type { SecretBox } from '../lib/secret-box.ts'
import type { Account, App } from '../model/app.ts'
import { isUuid, type SlugId } from '../model/ids.ts'
import { Problem } from '../model/problem.ts'
import type { Release } from '../model/release.ts'
import { lockApp } from '../store/apps.ts'
import type { Queryable } from '../store/queryable.ts'
import { currentConfigVars } from '../store/releases.ts'
import { findSlug } from '../store/slugs.ts'
import { createRelease } from './create-release.ts'

export interface SlugWish {
  readonly app: App['id']
  readonly account: Account
  readonly slug: string
  /** Undefined: `Deploy 5f2a1c3e`. */
  readonly description: string | undefined
}

/** Runs a slug that the app already has, with the config vars as they are. */
export async function releaseSlug(
  tx: Queryable,
  { app, account, slug: identity, description }: SlugWish,
  secrets: SecretBox,
): Promise<Release> {
  // Before the slug is looked at, for old ones are destroyed under this lock.
  await lockApp(tx, app)
  const slug = isUuid(identity) ? await findSlug(tx, identity as SlugId) : undefined
  if (slug?.app !== app) throw new Problem('not_found', `Couldn't find that slug.`)
  if (slug.deletedAt) {
    throw new Problem('invalid_params', 'That slug was destroyed, as old ones are.')
  }

  const wish = {
    app,
    account,
    description: description ?? `Deploy ${(slug.commit ?? slug.id).slice(0, 8)}`,
    slug: slug.id,
    configVars: await currentConfigVars(tx, app, secrets),
  }
  return createRelease(tx, wish, secrets)
}
