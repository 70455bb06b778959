import type { SecretBox } from '../lib/secret-box.ts'
import type { Account, App } from '../model/app.ts'
import { faultOfAppRouting } from '../model/app-routing.ts'
import {
  changedConfig,
  type ConfigChanges,
  describeConfig,
  faultOfConfig,
} from '../model/config-vars.ts'
import { autoscalingIn, faultOfDynoSettings } from '../model/dyno-policy.ts'
import { HEROKU_LIMITS, type Limits } from '../model/limits.ts'
import { Problem } from '../model/problem.ts'
import type { ConfigVars } from '../model/release.ts'
import { findApp, lockApp } from '../store/apps.ts'
import { findMonitor } from '../store/monitors.ts'
import type { Queryable } from '../store/queryable.ts'
import { currentConfigVars, slugInForce } from '../store/releases.ts'
import { createRelease } from './create-release.ts'
import { setAutoscaling } from './set-autoscaling.ts'

export interface ConfigWish {
  readonly app: App['id']
  readonly account: Account
  readonly changes: ConfigChanges
}

/** One release for all the changes, none where nothing changes. Returns all config vars. */
export async function setConfigVars(
  tx: Queryable,
  { app: id, account, changes }: ConfigWish,
  secrets: SecretBox,
  limits: Limits = HEROKU_LIMITS,
): Promise<ConfigVars> {
  const app = (await lockApp(tx, id)) ? await findApp(tx, id) : undefined
  if (!app?.currentRelease) throw new Problem('not_found', `Couldn't find that app.`)

  const present = await currentConfigVars(tx, app.id, secrets)
  const { vars, set, removed } = changedConfig(present, changes)
  const fault =
    faultOfConfig(changes, vars, limits.configVars) ??
    faultOfDynoSettings(only(set, vars)) ??
    faultOfAppRouting(only(set, vars))
  if (fault) throw new Problem('invalid_params', fault)
  if (set.length === 0 && removed.length === 0) return present

  const description = describeConfig(set, removed)
  const slug = await slugInForce(tx, app.id)
  await createRelease(
    tx,
    { app: app.id, account, description, slug, configVars: vars },
    secrets,
  )
  // Said by a config var that it is to be otherwise: what was said elsewhere meanwhile stays.
  if ([...set, ...removed].includes('MAYFLY_AUTOSCALE')) {
    const wanted = autoscalingIn(vars)
    if (wanted) {
      await setAutoscaling(tx, app, { wish: { isActive: true, wanted }, account }, limits)
    } else if (await findMonitor(tx, app.id)) {
      await setAutoscaling(tx, app, { wish: { isActive: false }, account }, limits)
    }
  }
  return vars
}

function only(names: readonly string[], vars: ConfigVars): ConfigVars {
  return Object.fromEntries(names.map((name) => [name, vars[name] ?? '']))
}
