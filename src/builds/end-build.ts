/** How a build comes to its last step, and the one transaction by which it ends. */

import { createRelease } from '../actions/create-release.ts'
import type { App } from '../model/app.ts'
import { type Build, shortVersion } from '../model/build.ts'
import type { SlugId } from '../model/ids.ts'
import { lockApp } from '../store/apps.ts'
import { becomeStep, fail, nextBuildOf, noteFailure, succeed } from '../store/builds.ts'
import { writeLogLines } from '../store/log-lines.ts'
import { appendOutput } from '../store/output.ts'
import { inTransaction, type Queryable } from '../store/queryable.ts'
import { currentConfigVars } from '../store/releases.ts'
import { addSlug } from '../store/slugs.ts'
import { wake } from '../store/work.ts'
import type { BuildDeps } from './build-deps.ts'
import { failureMessage, successMessage } from './build-messages.ts'
import type { BuildResult } from './read-result.ts'

export async function abandon(
  build: Build,
  failure: string,
  deps: BuildDeps,
): Promise<number> {
  await noteFailure(deps.pool, build.id, failure)
  return becomeFinish(build, deps)
}

export async function becomeFinish(build: Build, { pool }: BuildDeps): Promise<number> {
  await becomeStep(pool, build, 'finish')
  return 0
}

interface Deployment {
  readonly app: App
  readonly build: Build
  readonly result: BuildResult
}

export async function endInRelease(
  tx: Queryable,
  { app, build, result }: Deployment,
  { secrets }: BuildDeps,
): Promise<void> {
  // Before the config vars are read: who sets one meanwhile must not find it undone.
  await lockApp(tx, app.id)
  const slug = build.id as string as SlugId
  await addSlug(tx, {
    id: slug,
    app: app.id,
    stack: build.stack,
    commit: build.sourceVersion,
    commitDescription: build.sourceDescription,
    buildpackProvidedDescription: result.detected ?? null,
    processTypes: result.processTypes,
    healthChecks: result.healthChecks,
    checksum: result.checksum,
    size: result.size ?? null,
  })
  const release = await createRelease(
    tx,
    {
      app: app.id,
      account: build.account,
      description: `Deploy ${shortVersion(build)}`,
      slug,
      configVars: await currentConfigVars(tx, app.id, secrets),
    },
    secrets,
  )
  await appendOutput(tx, { build: build.id }, successMessage(app, release, result))
  await succeed(tx, build.id, { slug, release: release.id })
  const message = 'Build succeeded'
  await writeLogLines(tx, [{ app: app.id, source: 'app', ps: 'api', message }])
  await wakeNext(tx, build, app.region)
}

export async function endInFailure(
  build: Build,
  failure: string,
  { pool, region }: BuildDeps,
): Promise<void> {
  await inTransaction(pool, async (tx) => {
    // Or one that is just being asked for would wait for this one, and not be woken.
    await lockApp(tx, build.app)
    if (!(await fail(tx, build.id, failure))) return
    await appendOutput(tx, { build: build.id }, failureMessage(failure))
    const message = `Build failed -- check your build output: ${failure}`
    await writeLogLines(tx, [{ app: build.app, source: 'app', ps: 'api', message }])
    await wakeNext(tx, build, region)
  })
}

/** An app's builds take turns. The caller holds the app's lock. */
async function wakeNext(tx: Queryable, build: Build, region: string): Promise<void> {
  const next = await nextBuildOf(tx, build.app)
  if (next) await wake(tx, { kind: 'build', subject: next, region })
}
