import type { Pool } from 'pg'

import { MINUTE } from '../lib/clock.ts'
import { UnsafeFile } from '../lib/open-plain-file.ts'
import type { Build } from '../model/build.ts'
import type { ConfigVars } from '../model/release.ts'
import { takeAddresses } from '../store/addresses.ts'
import { findApp } from '../store/apps.ts'
import { cacheIsToBeCleared, noteCacheCleared } from '../store/build-caches.ts'
import { becomeStep, buildsBefore, giveAddress } from '../store/builds.ts'
import { writeLogLines } from '../store/log-lines.ts'
import type { Queryable } from '../store/queryable.ts'
import { currentConfigVars } from '../store/releases.ts'
import { type BuildDeps, type Here, TURN } from './build-deps.ts'
import { buildDynoId } from './build-dyno.ts'
import { layOutBuild, removeCache } from './build-files.ts'
import { abandon } from './end-build.ts'
import { failures } from './plan-compile.ts'

/** Of one region, as on Heroku: each may take two gigabytes of memory. */
const AT_ONCE = { ofAll: 10, ofEach: 3 }
/** It is woken when the one before it ends: there may be thousands that wait for days. */
const AFTER_ANOTHER_OF_ITS_APP = 5 * MINUTE

/** Waits for its turn and for room, and lays out what its dyno is to find. */
export async function prepareBuild(
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
    const begin = async (tx: Queryable) => {
      const [address] = await takeAddresses(tx, region, 1)
      if (address === undefined) return false
      await giveAddress(tx, build.id, address)
      return true
    }
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
