import type { SecretBox } from '../lib/secret-box.ts'
import { type AppFormation, describeScale } from '../model/app-formation.ts'
import type { Account } from '../model/app.ts'
import { type AppId, newId, type SlugId } from '../model/ids.ts'
import { Problem } from '../model/problem.ts'
import type { ConfigVars, Release } from '../model/release.ts'
import { DEFAULT_SIZE } from '../model/size.ts'
import {
  everyFormationOf,
  putFormation,
  wakeFormations,
  type WantedFormation,
} from '../store/app-formations.ts'
import { findApp, lockApp, setCurrentRelease } from '../store/apps.ts'
import { writeLogLines } from '../store/log-lines.ts'
import type { Queryable } from '../store/queryable.ts'
import { wakeRouter } from '../store/regions.ts'
import { addRelease } from '../store/releases.ts'
import { findSlug } from '../store/slugs.ts'

export interface ReleaseWish {
  readonly app: AppId
  readonly account: Account
  /** `Deploy 5f2a1c3e`: the log adds by whom. */
  readonly description: string
  readonly slug: SlugId | null
  readonly configVars: ConfigVars
}

/**
 * Makes the app's next release and its current one; every dyno is replaced as the managers
 * get to it. A Problem `not_found` where the app is gone.
 */
export async function createRelease(
  tx: Queryable,
  wish: ReleaseWish,
  secrets: SecretBox,
): Promise<Release> {
  const app = (await lockApp(tx, wish.app)) ? await findApp(tx, wish.app) : undefined
  if (!app) throw new Problem('not_found', `Couldn't find that app.`)

  const { account, description, slug, configVars } = wish
  const release = await addRelease(
    tx,
    {
      id: newId(),
      app: app.id,
      status: 'succeeded',
      description,
      account: account.id,
      slug,
      configVars,
      outputToken: null,
      automatic: false,
    },
    secrets,
  )
  await setCurrentRelease(tx, app.id, { release: release.id, deployed: slug !== null })
  const scaled = slug === null ? [] : await syncFormations(tx, app.id, slug)

  const lines = [description, `Release v${release.version} created`]
  if (scaled.length > 0) lines.push(`Scaled to ${describeScale(scaled)}`)
  await writeLogLines(
    tx,
    lines.map((line) => ({
      app: app.id,
      source: 'app',
      ps: 'api',
      message: `${line} by user ${account.email}`,
    })),
  )
  await wakeFormations(tx, app)
  await wakeRouter(tx, app.region)
  return release
}

/** Brings the formations in line with the slug's process types; returns those that are new. */
async function syncFormations(
  tx: Queryable,
  app: AppId,
  slug: SlugId,
): Promise<WantedFormation[]> {
  const compiled = await findSlug(tx, slug)
  if (!compiled || compiled.app !== app) throw new Error(`app ${app} has no slug ${slug}`)
  const present = await everyFormationOf(tx, app)
  const wanted = wantedFormations(app, compiled.processTypes, present)
  for (const formation of wanted) await putFormation(tx, formation)

  const known = present.filter((it) => it.command !== null).map((it) => it.type)
  return wanted.filter((it) => it.command !== null && !known.includes(it.type))
}

/**
 * A process type that is kept keeps its quantity; a new `web` gets one dyno, any other none;
 * one that has left the Procfile has none any more.
 */
export function wantedFormations(
  app: AppId,
  processTypes: Readonly<Record<string, string>>,
  present: readonly AppFormation[],
): WantedFormation[] {
  const size = present.find((it) => it.command !== null)?.size ?? DEFAULT_SIZE
  const wanted = Object.entries(processTypes).map(([type, command]) => {
    const old = present.find((it) => it.type === type)
    if (old && old.command !== null) return { ...old, command }
    return {
      id: old?.id ?? newId<'formation'>(),
      app,
      type,
      quantity: type === 'web' ? 1 : 0,
      size,
      command,
    }
  })
  const vanished = present.filter((it) => !Object.hasOwn(processTypes, it.type))
  return [...wanted, ...vanished.map((it) => ({ ...it, quantity: 0, command: null }))]
}
