import { type AppFormation, describeScale } from '../model/app-formation.ts'
import type { App } from '../model/app.ts'
import { appEvent } from '../model/event.ts'
import { newId, type SlugId } from '../model/ids.ts'
import { HEROKU_LIMITS, type Limits, withinLimits } from '../model/limits.ts'
import { RELEASE_TYPE } from '../model/one-off.ts'
import { byWhom, type Release } from '../model/release.ts'
import { DEFAULT_SIZE } from '../model/size.ts'
import {
  changeCommand,
  everyFormationOf,
  formationsOf,
  putFormation,
  wakeFormations,
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
  limits: Limits = HEROKU_LIMITS,
): Promise<void> {
  const { id, slug, version, account } = release
  const before = slug === null ? [] : await everyFormationOf(tx, app.id)
  await setCurrentRelease(tx, app.id, { release: id, deployed: slug !== null })
  const scaled =
    slug === null
      ? []
      : await syncFormations(tx, release, { slug, present: before, limits })

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

/**
 * Brings the formations in line with the slug's process types; returns those that are new, or
 * there again. What is kept keeps its scale; what has left the Procfile has no dynos any more. A
 * new `web` gets one dyno, any other type none, and so does one that comes back, as on Heroku;
 * but nobody asked for an automatic rollback, nor would see to the scale after it: then it has what
 * it had, as far as the others, which may have grown meanwhile, leave room for it.
 */
async function syncFormations(
  tx: Queryable,
  { app, automatic }: Release,
  {
    slug,
    present,
    limits,
  }: {
    readonly slug: SlugId
    readonly present: readonly AppFormation[]
    readonly limits: Limits
  },
): Promise<AppFormation[]> {
  const compiled = await findSlug(tx, slug)
  if (!compiled) throw new Error(`app ${app} has no slug ${slug}`)
  const { processTypes } = compiled
  const size = present.find(isOfDynos)?.size ?? DEFAULT_SIZE

  for (const [type, command] of Object.entries(processTypes)) {
    const old = present.find((it) => it.type === type)
    if (old && (old.command !== null || automatic)) {
      await changeCommand(tx, old.id, command)
      continue
    }
    const quantity = type === 'web' ? 1 : 0
    await putFormation(tx, { id: newId(), app, type, quantity, size, command })
  }
  for (const { id, type } of present) {
    if (!Object.hasOwn(processTypes, type)) await changeCommand(tx, id, null)
  }
  const known = present.filter((it) => it.command !== null).map((it) => it.type)
  const now = await formationsOf(tx, app)
  const added = now.filter((it) => !known.includes(it.type))
  if (!automatic) return added
  const others = now.filter((it) => known.includes(it.type))
  const [release, dynos] = [
    others.filter((it) => !isOfDynos(it)),
    others.filter(isOfDynos),
  ]
  const fit = withinLimits(added, [...dynos, ...release], limits)
  for (const it of fit) await putFormation(tx, it)
  return fit
}

/** The release phase's own size is nobody else's. */
function isOfDynos({ type, command }: AppFormation): boolean {
  return command !== null && type !== RELEASE_TYPE
}
