import { type AppFormation, describeScale } from '../model/app-formation.ts'
import type { App } from '../model/app.ts'
import { appEvent } from '../model/event.ts'
import { type AppId, newId, type SlugId } from '../model/ids.ts'
import { RELEASE_TYPE } from '../model/one-off.ts'
import { byWhom, type Release } from '../model/release.ts'
import { DEFAULT_SIZE } from '../model/size.ts'
import {
  everyFormationOf,
  putFormation,
  wakeFormations,
  type WantedFormation,
} from '../store/app-formations.ts'
import { setCurrentRelease } from '../store/apps.ts'
import { writeEvents } from '../store/events.ts'
import { writeLogLines } from '../store/log-lines.ts'
import type { Queryable } from '../store/queryable.ts'
import { wakeRouter } from '../store/regions.ts'
import { findSlug } from '../store/slugs.ts'
import { tellScaling } from './tell-scaling.ts'
import { wakeApp } from './wake-app.ts'

/** The app runs this release from now on: every dyno is replaced as the managers get to it. */
export async function makeCurrent(
  tx: Queryable,
  app: Pick<App, 'id' | 'name' | 'region'>,
  release: Release,
): Promise<void> {
  const { id, slug, version, account } = release
  const before = slug === null ? [] : await everyFormationOf(tx, app.id)
  await setCurrentRelease(tx, app.id, { release: id, deployed: slug !== null })
  const scaled = slug === null ? [] : await syncFormations(tx, app.id, slug, before)

  const lines = [`Release v${version} created`]
  if (scaled.length > 0) lines.push(`Scaled to ${describeScale(scaled)}`)
  await writeLogLines(
    tx,
    lines.map((line) => ({
      app: app.id,
      source: 'app',
      ps: 'api',
      message: `${line} ${byWhom(release)}`,
    })),
  )
  const message = `Release v${version} is the current one`
  const about = { app: app.id, at: release.updatedAt, release: id, message }
  await writeEvents(tx, [appEvent({ ...about, kind: 'release.succeeded' })])
  if (slug !== null) await tellScaling(tx, { app, scaler: account, before })
  await wakeApp(tx, app.id, release.updatedAt)
  await wakeFormations(tx, app)
  await wakeRouter(tx, app.region)
}

/** Brings the formations in line with the slug's process types; returns those that are new. */
async function syncFormations(
  tx: Queryable,
  app: AppId,
  slug: SlugId,
  present: readonly AppFormation[],
): Promise<WantedFormation[]> {
  const compiled = await findSlug(tx, slug)
  if (!compiled) throw new Error(`app ${app} has no slug ${slug}`)
  const wanted = wantedFormations(app, compiled.processTypes, present)
  for (const formation of wanted) await putFormation(tx, formation)

  const known = present.filter((it) => it.command !== null).map((it) => it.type)
  return wanted.filter((it) => it.command !== null && !known.includes(it.type))
}

/** The release phase's own size is nobody else's. */
function isOfDynos({ type, command }: AppFormation): boolean {
  return command !== null && type !== RELEASE_TYPE
}

/**
 * A process type that is kept keeps its quantity; a new `web` gets one dyno, any other none;
 * one that has left the Procfile has none any more.
 */
function wantedFormations(
  app: AppId,
  processTypes: Readonly<Record<string, string>>,
  present: readonly AppFormation[],
): WantedFormation[] {
  const size = present.find(isOfDynos)?.size ?? DEFAULT_SIZE
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
