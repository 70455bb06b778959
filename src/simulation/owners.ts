/** What the owners of the simulated apps ask for, by the same actions as the Platform API's. */

import type { Pool } from 'pg'

import { createAccount } from '../actions/create-account.ts'
import { createApp } from '../actions/create-app.ts'
import { createRelease } from '../actions/create-release.ts'
import { destroyApp } from '../actions/destroy-app.ts'
import { restartDynos } from '../actions/restart-dynos.ts'
import { rollback } from '../actions/rollback.ts'
import { scaleFormations } from '../actions/scale-formations.ts'
import { setAppFeature } from '../actions/set-app-feature.ts'
import { runDyno } from '../actions/run-dyno.ts'
import { setConfigVars } from '../actions/set-config-vars.ts'
import { stopDynos } from '../actions/stop-dynos.ts'
import type { Clock } from '../lib/clock.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import type { Account, App } from '../model/app.ts'
import { newId } from '../model/ids.ts'
import { Problem } from '../model/problem.ts'
import { findApp, lockApp } from '../store/apps.ts'
import { ensureRegion } from '../store/ensure-region.ts'
import { inTransaction, type Queryable } from '../store/queryable.ts'
import { allRegions, type Region } from '../store/regions.ts'
import { currentConfigVars, releasesOf } from '../store/releases.ts'
import { addSlug } from '../store/slugs.ts'
import type { Wish } from './happening.ts'
import { commandOf, STEADY, type Temper } from './temper.ts'

const STACK = 'debian-12'
const DETACHED = {
  attach: undefined,
  environment: {},
  size: undefined,
  type: undefined,
  timeToLive: undefined,
} as const

export interface Owners {
  /** Resolves to the app it was about; undefined where that can't be asked of it. */
  ask(wish: Wish): Promise<App | undefined>
}

/** Few enough addresses that they go round. */
const ADDRESSES_OF_AN_APP = 64

export async function openRegion(pool: Pool, apps: number): Promise<Region> {
  const length = 32 - Math.ceil(Math.log2(apps * ADDRESSES_OF_AN_APP))
  await ensureRegion(pool, {
    name: 'us',
    description: 'United States',
    country: 'United States',
    locale: 'Virginia',
    domain: 'localhost',
    httpPort: 8080,
    httpsPort: null,
    subnet: `172.20.0.0/${length}`,
  })
  const [region] = await allRegions(pool)
  if (!region) throw new Error('there is no region')
  return region
}

export async function ownersOn(
  pool: Pool,
  { secrets, clock }: { readonly secrets: SecretBox; readonly clock: Clock },
): Promise<Owners> {
  const account = await createAccount(pool, { email: 'owner@example.com', name: null })
  return {
    async ask(wish) {
      try {
        return await inTransaction(pool, (tx) => carryOut(tx, wish))
      } catch (error) {
        // What an owner is refused changes nothing.
        if (error instanceof Problem) return undefined
        throw error
      }
    },
  }

  async function carryOut(tx: Queryable, wish: Wish): Promise<App | undefined> {
    const name = `app-${wish.app}`
    const found = await findApp(tx, name)
    if (wish.does === 'deploy') {
      const app = found ?? (await newApp(tx, name, account))
      const { web, worker, release } = wish
      await deploy(tx, app, { web, worker, ...(release && { release }) })
      return app
    }
    if (found) await change(tx, found, wish)
    return found
  }

  async function newApp(tx: Queryable, name: string, owner: Account): Promise<App> {
    return createApp(tx, { account: owner, name, region: 'us', stack: STACK }, secrets)
  }

  async function deploy(
    tx: Queryable,
    app: App,
    tempers: Readonly<Record<string, Temper>>,
  ): Promise<void> {
    await lockApp(tx, app.id)
    const slug = newId<'slug'>()
    const commands = Object.entries(tempers).map(([type, it]) => [type, commandOf(it)])
    await addSlug(tx, {
      id: slug,
      app: app.id,
      stack: app.stack,
      commit: null,
      commitDescription: null,
      buildpackProvidedDescription: null,
      processTypes: Object.fromEntries(commands) as Record<string, string>,
      checksum: null,
      size: null,
    })
    const configVars = await currentConfigVars(tx, app.id, secrets)
    const description = `Deploy ${slug.slice(0, 8)}`
    const wish = { app: app.id, account, description, slug, configVars }
    await createRelease(tx, wish, secrets)
  }

  async function change(
    tx: Queryable,
    app: App,
    wish: Exclude<Wish, { does: 'deploy' }>,
  ): Promise<void> {
    switch (wish.does) {
      case 'configure': {
        const changes = { VALUE: String(wish.value) }
        await setConfigVars(tx, { app: app.id, account, changes }, secrets)
        return
      }
      case 'scale': {
        const { type, quantity } = wish
        await scaleFormations(tx, {
          app,
          wishes: [{ type, quantity }],
          scaler: account,
        })
        return
      }
      case 'resize': {
        const { type, size } = wish
        await scaleFormations(tx, { app, wishes: [{ type, size }], scaler: account })
        return
      }
      case 'restart':
        return restartDynos(tx, app, whichOf(wish.which), account)
      case 'roll back': {
        const [last] = (await releasesOf(tx, app.id))
          .filter((it) => it.slug !== null && it.id !== app.currentRelease)
          .toReversed()
        if (last) {
          await rollback(tx, { app: app.id, account, release: last.id }, secrets)
        }
        return
      }
      case 'run': {
        const command = commandOf(wish.command)
        await runDyno(tx, { ...DETACHED, app: app.id, account, command }, { secrets })
        return
      }
      case 'stop one-offs':
        return stopDynos(tx, app, { type: 'run' }, account)
      case 'switch': {
        const now = clock.now()
        const { feature: name, on: enabled } = wish
        return setAppFeature(tx, app, { name, enabled, account, now })
      }
      case 'destroy':
        return destroyApp(tx, app, account)
    }
  }
}

/** What every app's owner does in the end. */
export function mended(app: number): Wish {
  return { app, does: 'deploy', web: STEADY, worker: STEADY }
}

function whichOf(which: string) {
  if (which === 'all') return { all: true } as const
  return which.includes('.') ? { dyno: which } : { type: which }
}
