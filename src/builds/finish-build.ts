import type { App } from '../model/app.ts'
import type { Build } from '../model/build.ts'
import { type Copy, RuntimeError } from '../runtime/runtime.ts'
import { findApp } from '../store/apps.ts'
import { lockToSucceed, noteFailure } from '../store/builds.ts'
import { inTransaction } from '../store/queryable.ts'
import { forgetUpload, sourceIsWanted } from '../store/sources.ts'
import { type BuildDeps, type Here, TURN } from './build-deps.ts'
import { buildDynoId, compiledBy, SLUG_LIMIT } from './build-dyno.ts'
import { removeBuildFiles, removeSource, slugDirectory } from './build-files.ts'
import { endInFailure, endInRelease } from './end-build.ts'
import { failures } from './plan-compile.ts'
import { type BuildResult, readResult, UnusableResult } from './read-result.ts'

/** Whatever only the build needed goes first: once it is final, nobody looks again. */
export async function finishBuild(
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
