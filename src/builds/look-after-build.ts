/**
 * Sees a build through: prepare → compile → finish, a column of its row. A look can end
 * anywhere, its process too; the next one goes on from what the row and the runtime say.
 * Until the last step's transaction, the app's running release knows nothing of it.
 */

import { later, MINUTE } from '../lib/clock.ts'
import { countedFrom } from '../lib/clock-jumps.ts'
import { UnderWay } from '../lib/under-way.ts'
import type { Build, BuildStep } from '../model/build.ts'
import type { BuildId } from '../model/ids.ts'
import { liesAhead } from '../model/noted-times.ts'
import { findBuild, noteFailing, noteFailure } from '../store/builds.ts'
import { noteBuildAnew } from '../store/noted-times.ts'
import type { Look } from '../work/loop.ts'
import type { BuildDeps, Here } from './build-deps.ts'
import { buildDynoId } from './build-dyno.ts'
import { compileBuild } from './compile-build.ts'
import { abandon, endInFailure } from './end-build.ts'
import { finishBuild } from './finish-build.ts'
import { failures } from './plan-compile.ts'
import { prepareBuild } from './prepare-build.ts'

/** How long each look at a build may fail until it is given up: what it holds is others' to have. */
const GIVEN_UP_AFTER = 10 * MINUTE

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
          return prepareBuild(of, { ...deps, ...here }, signal)
        case 'compile':
          return compileBuild(of, deps, signal)
        case 'finish':
          return finishBuild(of, { ...deps, ...here }, signal)
      }
    }
  }
}

/** Called when a look failed: whether all have, for too long. */
async function isGivenUp(
  build: Build,
  { pool, clock, jumps }: BuildDeps,
): Promise<boolean> {
  const now = clock.now()
  await noteFailing(pool, build.id, now)
  if (!build.failingSince) return false
  return now >= later(countedFrom(build.failingSince, jumps?.()), GIVEN_UP_AFTER)
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
