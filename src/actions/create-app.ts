import type { SecretBox } from '../lib/secret-box.ts'
import { type Account, type App, faultOfName } from '../model/app.ts'
import { newId } from '../model/ids.ts'
import { HEROKU_LIMITS, type Limits } from '../model/limits.ts'
import { Problem } from '../model/problem.ts'
import { randomAppName } from '../model/random-app-name.ts'
import { findStack } from '../model/stack.ts'
import { addApp, findApp, type NewApp } from '../store/apps.ts'
import { writeWish } from '../store/events.ts'
import type { Queryable } from '../store/queryable.ts'
import { wakeEveryRouter } from '../store/regions.ts'
import { findRegion } from '../store/regions-by-identity.ts'
import { createRelease } from './create-release.ts'
import { mustTakeOneMoreApp } from './must-take-one-more-app.ts'

export interface AppWish {
  readonly account: Account
  /** Where that is not the account: the one that a team is. */
  readonly owner?: Account
  /** Undefined: one is made up. */
  readonly name: string | undefined
  /** By id or name, as the stack. */
  readonly region: string
  readonly stack: string
}

/** An app with its first two releases, which have no code yet. */
export async function createApp(
  tx: Queryable,
  wish: AppWish,
  secrets: SecretBox,
  limits: Limits = HEROKU_LIMITS,
): Promise<App> {
  const { account, owner = account } = wish
  const region = await findRegion(tx, wish.region)
  if (!region) {
    throw new Problem('invalid_params', `Couldn't find that region (${wish.region}).`)
  }
  const stack = findStack(wish.stack)
  if (!stack) {
    throw new Problem('invalid_params', `Couldn't find that stack (${wish.stack}).`)
  }
  await mustTakeOneMoreApp(tx, owner, limits)
  const { id } = await addNamed(tx, wish.name, {
    id: newId(),
    region: region.name,
    owner: owner.id,
    stack: stack.name,
  })
  // First, and in their order: whoever holds one router's row must not want another's.
  await wakeEveryRouter(tx)
  const message = `Created by user ${account.email}`
  await writeWish(tx, { app: id, kind: 'app.created', message })
  for (const description of ['Initial release', 'Enable Logplex']) {
    await createRelease(
      tx,
      { app: id, account, description, slug: null, configVars: {} },
      secrets,
    )
  }
  const app = await findApp(tx, id)
  if (!app) throw new Error(`app ${id} is gone`)
  return app
}

async function addNamed(
  tx: Queryable,
  name: string | undefined,
  app: Omit<NewApp, 'name'>,
): Promise<NewApp> {
  const fault = name === undefined ? undefined : faultOfName(name)
  if (fault) throw new Problem('invalid_params', fault)
  for (;;) {
    const named = { ...app, name: name ?? randomAppName() }
    if (await addApp(tx, named)) return named
    if (name) throw new Problem('invalid_params', `Name ${name} is already taken`)
  }
}
