/**
 * Sees a build through: prepare → compile → finish, a column of its row. A look can end
 * anywhere, its process too; the next one goes on from what the row and the runtime say.
 * Until the last step's transaction, the app's running release knows nothing of it.
 */

import type { Pool } from 'pg'

import { createRelease } from '../actions/create-release.ts'
import type { DataDirectory } from '../installation/data-directory.ts'
import { type Clock, MINUTE, SECOND } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { UnsafeFile } from '../lib/open-plain-file.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import { UnderWay } from '../lib/under-way.ts'
import type { App } from '../model/app.ts'
import { type Build, type BuildStep, shortVersion } from '../model/build.ts'
import type { BuildId, SlugId } from '../model/ids.ts'
import type { ConfigVars } from '../model/release.ts'
import { liesAhead } from '../model/noted-times.ts'
import { type Copy, type Runtime, RuntimeError } from '../runtime/runtime.ts'
import { allocateAddress } from '../store/addresses.ts'
import { findApp, lockApp } from '../store/apps.ts'
import { cacheIsToBeCleared, noteCacheCleared } from '../store/build-caches.ts'
import {
  becomeStep,
  beginAnew,
  buildsBefore,
  fail,
  findBuild,
  giveAddress,
  lockToSucceed,
  nextBuildOf,
  noteFailing,
  noteFailure,
  succeed,
} from '../store/builds.ts'
import { buildpacksOf } from '../store/buildpack-installations.ts'
import { keepOutput } from '../store/keep-output.ts'
import { writeLogLines } from '../store/log-lines.ts'
import { noteBuildAnew } from '../store/noted-times.ts'
import { appendOutput } from '../store/output.ts'
import { inTransaction, type Queryable } from '../store/queryable.ts'
import { currentConfigVars } from '../store/releases.ts'
import { addSlug } from '../store/slugs.ts'
import { forgetUpload, sourceIsWanted } from '../store/sources.ts'
import { wake } from '../store/work.ts'
import type { Look } from '../work/loop.ts'
import { buildDyno, buildDynoId, compiledBy, SLUG_LIMIT } from './build-dyno.ts'
import {
  layOutBuild,
  removeBuildFiles,
  removeCache,
  removeSource,
  slugDirectory,
} from './build-files.ts'
import { BEGUN_ANEW, failureMessage, successMessage } from './build-messages.ts'
import { failures, planCompile } from './plan-compile.ts'
import { type BuildResult, readResult, UnusableResult } from './read-result.ts'

export interface BuildDeps {
  readonly pool: Pool
  readonly runtime: Runtime
  readonly secrets: SecretBox
  readonly clock: Clock
  readonly data: DataDirectory
  /** Uids: sources are files of theirs. */
  readonly uploaders: readonly number[]
  readonly log: Log
  /** The region whose manager this is. */
  readonly region: string
  /** Where `installBuildpacks` put the built-in ones, relative to the data directory. */
  readonly builtIns: string
  /** What every build dyno has in its environment beside the platform's own. */
  readonly buildEnvironment: Readonly<Record<string, string>>
  /** When `mayfly down` last ended all that ran here. */
  readonly downAt?: Date | undefined
  /** Does `begin`, by which a build takes its share of the machine, if there is room for it. */
  readonly placeBuild: (
    begin: (tx: Queryable) => Promise<void>,
    signal: AbortSignal,
  ) => Promise<boolean>
}

/** Of one region, as on Heroku: each may take two gigabytes of memory. */
const AT_ONCE = { ofAll: 10, ofEach: 3 }
/** How long each look at a build may fail until it is given up: what it holds is others' to have. */
const GIVEN_UP_AFTER = 10 * MINUTE
const TURN = SECOND
/** It is woken when the one before it ends. */
const AFTER_ANOTHER_OF_ITS_APP = 10 * TURN
const FOLLOW = 0.15 * SECOND

/** What this manager has under way, and another would begin anew. */
interface Here {
  /** Of whom it has been said that they wait; another manager may say it once more. */
  readonly waiting: Set<BuildId>
  /** To take a slug's checksum, all of it is read. */
  readonly results: UnderWay<BuildResult>
  readonly removals: UnderWay<void>
}

/** The look for work kind `build`; its subject is the build's id. */
export function lookAfterBuild(deps: BuildDeps): Look {
  const here: Here = {
    waiting: new Set(),
    results: new UnderWay(),
    removals: new UnderWay(),
  }
  return async (subject, signal) => {
    const build = await findBuild(deps.pool, subject as BuildId)
    if (!build?.step) return Infinity
    const now = deps.clock.now()
    if (liesAhead(now, [build.startedAt, build.failingSince])) {
      await noteBuildAnew(deps.pool, build.id, now)
      return 0
    }
    try {
      const delay = await takeStep(build, build.step)
      if (build.failingSince) await noteFailing(deps.pool, build.id, null)
      return delay
    } catch (error) {
      // That this look had to end says nothing of the build.
      if (signal.aborted || !(await isGivenUp(build, deps))) throw error
      return giveUp(build, error, { ...deps, signal })
    }

    function takeStep(of: Build, step: BuildStep): Promise<number> {
      switch (step) {
        case 'prepare':
          return prepare(of, { ...deps, ...here }, signal)
        case 'compile':
          return compile(of, deps, signal)
        case 'finish':
          return finish(of, { ...deps, ...here }, signal)
      }
    }
  }
}

/** Called when a look failed: whether all have, for too long. */
async function isGivenUp(build: Build, { pool, clock }: BuildDeps): Promise<boolean> {
  const now = clock.now()
  await noteFailing(pool, build.id, now)
  const { failingSince } = build
  return failingSince !== null && now.getTime() - failingSince.getTime() >= GIVEN_UP_AFTER
}

/**
 * Has the build fail, and its remains go; where those cannot go either, it ends without. But
 * as long as the machine has its dyno, it holds its address and what was promised to it:
 * then throws the error again.
 */
async function giveUp(
  build: Build,
  error: unknown,
  { signal, ...deps }: BuildDeps & { readonly signal: AbortSignal },
): Promise<number> {
  const { pool, runtime, log } = deps
  const { step, failure } = build
  const id = buildDynoId(build)
  const isLast = step === 'finish' && failure !== null
  if (isLast && (await runtime.status([id], signal)).has(id)) throw error
  log.error('a build is given up', error, { build: build.id, step })
  if (isLast) {
    await endInFailure(build, failure, deps)
    return Infinity
  }
  if (step !== 'finish') return abandon(build, failures.internal, deps)
  await noteFailure(pool, build.id, failures.internal)
  await noteFailing(pool, build.id, null)
  return 0
}

async function prepare(
  build: Build,
  deps: BuildDeps & Here,
  signal: AbortSignal,
): Promise<number> {
  const { pool, data, secrets, region, waiting, removals } = deps
  const app = await findApp(pool, build.app)
  if (!app || build.cancelledAt) {
    return abandon(build, app ? failures.cancelled : failures.destroyed, deps)
  }
  const before = await buildsBefore(pool, build, AT_ONCE)
  if (before === undefined) return AFTER_ANOTHER_OF_ITS_APP
  // The further behind, the later it can be its turn.
  if (before > 0) return Math.ceil(before / AT_ONCE.ofAll) * TURN
  if (!build.address) {
    const begin = async (tx: Queryable) =>
      giveAddress(tx, build.id, await allocateAddress(tx, region))
    if (!(await deps.placeBuild(begin, signal))) {
      if (!waiting.has(build.id)) await sayWaiting(build, pool)
      waiting.add(build.id)
      return TURN
    }
    waiting.delete(build.id)
  }
  if (await cacheIsToBeCleared(pool, build.app)) {
    const remove = () => removeCache(data, build)
    if (!(await removals.ask(`cache ${build.app}`, remove, signal))) return TURN
    await noteCacheCleared(pool, build.app)
  }
  const configVars = await currentConfigVars(pool, build.app, secrets)
  // The one that went with its machine: its files, and a network, lie there still.
  if (build.anewFrom !== null) await deps.runtime.remove(buildDynoId(build), signal)
  const lacks = await layOut(build, configVars, deps)
  if (lacks !== undefined) return abandon(build, lacks, deps)
  await becomeStep(pool, build, 'compile')
  return 0
}

/** Or why it cannot be. */
async function layOut(
  build: Build,
  configVars: ConfigVars,
  { data, uploaders, log }: BuildDeps,
): Promise<string | undefined> {
  try {
    const isThere = await layOutBuild(data, build, { configVars, uploaders })
    return isThere ? undefined : failures.sourceGone
  } catch (error) {
    if (!(error instanceof UnsafeFile)) throw error
    const source = build.source
    log.error('a source was not put there by an upload', error, { source })
    return failures.sourceUnsafe
  }
}

function sayWaiting(build: Build, pool: Pool): Promise<void> {
  const message = 'Build waits: this machine has no room for it at the moment'
  return writeLogLines(pool, [{ app: build.app, source: 'app', ps: 'api', message }])
}

async function compile(
  build: Build,
  deps: BuildDeps,
  signal: AbortSignal,
): Promise<number> {
  const { pool, runtime, clock } = deps
  const id = buildDynoId(build)
  const status = (await runtime.status([id], signal)).get(id)
  const appIsThere = (await findApp(pool, build.app)) !== undefined
  const { downAt } = deps
  const step = planCompile({ build, appIsThere, status, downAt, now: clock.now() })
  switch (step.do) {
    case 'start':
      await start(build, deps, signal)
      return FOLLOW
    case 'begin anew':
      await inTransaction(pool, async (tx) => {
        await appendOutput(tx, { build: build.id }, BEGUN_ANEW)
        await beginAnew(tx, build.id)
      })
      return 0
    case 'follow':
      await keepWhatIsPrinted(build, deps, signal)
      return FOLLOW
    case 'kill':
      await noteFailure(pool, build.id, step.failure)
      await runtime.kill(id, signal)
      return FOLLOW
    case 'finish':
      if (status) await keepWhatIsPrinted(build, deps, signal)
      return step.failure === undefined
        ? becomeFinish(build, deps)
        : abandon(build, step.failure, deps)
  }
}

/** A second dyno's own output begins at 0 again. */
function keepWhatIsPrinted(
  build: Build,
  { pool, runtime }: BuildDeps,
  signal: AbortSignal,
): Promise<void> {
  const before = build.anewFrom ?? 0
  const read = async (position: number) => {
    const id = buildDynoId(build)
    const { text, offset } = await runtime.output(id, position - before, signal)
    return { text, offset: offset + before }
  }
  return keepOutput(pool, { build: build.id }, { read })
}

async function start(build: Build, deps: BuildDeps, signal: AbortSignal): Promise<void> {
  const { pool, runtime, builtIns, buildEnvironment: environment } = deps
  if (!build.address) throw new Error(`build ${build.id} compiles without an address`)
  const { address } = build
  const buildpacks = build.buildpacks ?? (await buildpacksOf(pool, build.app))
  await runtime.start(
    buildDyno({ build, address, builtIns, buildpacks, environment }),
    signal,
  )
}

async function abandon(build: Build, failure: string, deps: BuildDeps): Promise<number> {
  await noteFailure(deps.pool, build.id, failure)
  return becomeFinish(build, deps)
}

async function becomeFinish(build: Build, { pool }: BuildDeps): Promise<number> {
  await becomeStep(pool, build, 'finish')
  return 0
}

/** Whatever only the build needed goes first: once it is final, nobody looks again. */
async function finish(
  build: Build,
  deps: BuildDeps & Here,
  signal: AbortSignal,
): Promise<number> {
  const { pool, runtime, data, removals } = deps
  const removeFiles = () =>
    removals.ask(build.id, () => removeBuildFiles(data, build), signal)
  await runtime.remove(buildDynoId(build), signal)
  if (build.source && !(await sourceIsWanted(pool, build.source, build.id))) {
    await forgetUpload(pool, build.source)
    await removeSource(data, build.source)
  }
  const app = await findApp(pool, build.app)
  const failure =
    build.failure ??
    (app ? undefined : failures.destroyed) ??
    (build.cancelledAt ? failures.cancelled : undefined)
  if (!app || failure !== undefined) {
    if (!(await runtime.removeCopy(slugCopy(build), signal))) return TURN
    if (!(await removeFiles())) return TURN
    await endInFailure(build, failure ?? failures.destroyed, deps)
    return Infinity
  }
  const kept = await keepSlug(build, deps, signal)
  if (typeof kept === 'string') {
    await noteFailure(pool, build.id, kept)
    return 0
  }
  if (!kept || !(await removeFiles())) return TURN
  return deploy(app, build, deps, signal)
}

function slugCopy(build: Build): Copy {
  return { from: compiledBy(build), to: `slugs/${build.id}`, most: SLUG_LIMIT }
}

/** Whether it is kept by now, or why what was compiled cannot be one. */
async function keepSlug(
  build: Build,
  { runtime, log }: BuildDeps,
  signal: AbortSignal,
): Promise<boolean | string> {
  try {
    return await runtime.copyOut(slugCopy(build), signal)
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error
    if (error.code === 'too_large') return failures.tooLarge
    if (error.code === 'too_many_files') return failures.tooManyFiles
    if (error.code === 'path_too_long') return failures.pathTooLong
    if (error.code !== 'no_disk_room') throw error
    log.error('a slug was not kept', error, { build: build.id })
    return failures.noDiskRoom
  }
}

async function deploy(
  app: App,
  build: Build,
  deps: BuildDeps & Here,
  signal: AbortSignal,
): Promise<number> {
  const result = await usableResult(build, deps, signal)
  if (!result) return TURN
  if (typeof result === 'string') {
    await noteFailure(deps.pool, build.id, result)
    return 0
  }
  await inTransaction(deps.pool, async (tx) => {
    if (await lockToSucceed(tx, build.id))
      await endInRelease(tx, { app, build, result }, deps)
  })
  // Where it was cancelled at the last moment, the next look ends it.
  return 0
}

/** Or why it isn't; undefined while it is still being read. */
async function usableResult(
  build: Build,
  { data, results }: BuildDeps & Here,
  signal: AbortSignal,
): Promise<BuildResult | string | undefined> {
  try {
    const read = () => readResult(slugDirectory(data, build))
    return (await results.ask(build.id, read, signal))?.result
  } catch (error) {
    if (error instanceof UnusableResult) return error.message
    throw error
  }
}

interface Deployment {
  readonly app: App
  readonly build: Build
  readonly result: BuildResult
}

async function endInRelease(
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

async function endInFailure(
  build: Build,
  failure: string,
  { pool, region }: BuildDeps,
): Promise<void> {
  await inTransaction(pool, async (tx) => {
    if (!(await fail(tx, build.id, failure))) return
    await appendOutput(tx, { build: build.id }, failureMessage(failure))
    const message = `Build failed -- check your build output: ${failure}`
    await writeLogLines(tx, [{ app: build.app, source: 'app', ps: 'api', message }])
    await wakeNext(tx, build, region)
  })
}

/** An app's builds take turns. */
async function wakeNext(tx: Queryable, build: Build, region: string): Promise<void> {
  const next = await nextBuildOf(tx, build.app)
  if (next) await wake(tx, { kind: 'build', subject: next, region })
}
