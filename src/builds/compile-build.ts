import { SECOND } from '../lib/clock.ts'
import type { Build } from '../model/build.ts'
import { findApp } from '../store/apps.ts'
import { buildpacksOf } from '../store/buildpack-installations.ts'
import { beginAnew, noteFailure, sourceUrls } from '../store/builds.ts'
import { keepOutput } from '../store/keep-output.ts'
import { appendOutput } from '../store/output.ts'
import { inTransaction } from '../store/queryable.ts'
import type { BuildDeps } from './build-deps.ts'
import { buildDyno, buildDynoId } from './build-dyno.ts'
import { BEGUN_ANEW } from './build-messages.ts'
import { abandon, becomeFinish } from './end-build.ts'
import { planCompile } from './plan-compile.ts'

const FOLLOW = 0.15 * SECOND

/** Sees the build dyno through: one step of `planCompile` a look. */
export async function compileBuild(
  build: Build,
  deps: BuildDeps,
  signal: AbortSignal,
): Promise<number> {
  const { pool, runtime, clock } = deps
  const id = buildDynoId(build)
  const status = (await runtime.status([id], signal)).get(id)
  const appIsThere = (await findApp(pool, build.app)) !== undefined
  const { downAt } = deps
  const now = clock.now()
  const jumps = deps.jumps?.()
  const step = planCompile({ build, appIsThere, status, downAt, jumps, now })
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
  const { pool, runtime, secrets, builtIns, buildEnvironment: environment } = deps
  if (!build.address) throw new Error(`build ${build.id} compiles without an address`)
  const { address } = build
  const buildpacks = build.buildpacks ?? (await buildpacksOf(pool, build.app))
  const sourceUrl = build.source
    ? undefined
    : (await sourceUrls(pool, [build], secrets)).get(build.id)
  await runtime.start(
    buildDyno({ build, sourceUrl, address, builtIns, buildpacks, environment }),
    signal,
  )
}
