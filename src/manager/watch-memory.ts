/**
 * Looks at what the dynos of a region use, every 20 seconds as Heroku does: R14 in the log
 * while one is above its quota, a restart where its app asked for one, and the end of a dyno
 * of which the kernel has killed a part, which is then told as R15. And it offers what room
 * there is to those that wait for it, for a hint may get lost.
 */

import type { Pool } from 'pg'

import { type Clock, SECOND } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { SecretBox } from '../lib/secret-box.ts'
import { placeOf } from '../model/dyno.ts'
import { memoryInUse } from '../model/dyno-lines.ts'
import { dynoPolicy } from '../model/dyno-policy.ts'
import type { AppEvent } from '../model/event.ts'
import type { DynoId, ReleaseId } from '../model/ids.ts'
import { type LoadAverage, loadAverage } from '../model/load-average.ts'
import {
  loadMetrics,
  memoryMetrics,
  OVER_QUOTA,
  restartingAbove,
} from '../model/memory-lines.ts'
import { type Verdict, verdictOn } from '../model/memory-rule.ts'
import type { ConfigVars } from '../model/release.ts'
import { type Size, sizeNamed } from '../model/size.ts'
import { HEROKU_TIMINGS } from '../model/timings.ts'
import type { MemoryUse, Runtime } from '../runtime/runtime.ts'
import { writeEvents } from '../store/events.ts'
import { type LogLine, writeLogLines } from '../store/log-lines.ts'
import {
  requestMemoryRestart,
  type RunningDyno,
  runningDynos,
  sealedConfigVars,
} from '../store/memory-watch.ts'
import { putDynoMemory } from '../store/metrics.ts'
import { inTransaction, type Queryable } from '../store/queryable.ts'
import { wakeAll } from '../store/work.ts'
import type { Look } from '../work/loop.ts'
import type { Placer } from './place-dynos.ts'

interface MemoryDeps {
  readonly pool: Pool
  readonly runtime: Pick<Runtime, 'usage' | 'runnable' | 'kill'>
  readonly secrets: SecretBox
  readonly clock: Clock
  readonly region: string
  readonly sizes: () => readonly Size[]
  readonly place: Placer['place']
  readonly log: Log
}

const EVERY = 20 * SECOND

/** The look for work kind `memory`; its subject is the region's id. */
export function watchMemory(deps: MemoryDeps): Look {
  const { pool, runtime, place, region, log } = deps
  const restartShares = new RestartShares(deps)
  const loads = new Loads(deps)
  /** Those that were above their quota in the sample before: of each time above it one event. */
  let above: ReadonlySet<DynoId> = new Set()

  return async (_region, signal) => {
    await place([], signal)
    const dynos = await runningDynos(pool, region)
    const uses = await runtime.usage(
      dynos.map((it) => it.id),
      signal,
    )
    const shares = await restartShares.of(dynos)
    const averages = await loads.of(dynos, signal)
    const found = dynos.flatMap((dyno) => {
      const use = uses.get(dyno.id)
      if (!use) return []
      return foundOf(dyno, use, {
        restartAbove: shares.get(dyno.release),
        load: averages.get(dyno.id),
      })
    })
    await putDynoMemory(
      pool,
      found.map((it) => ({
        dyno: it.dyno.id,
        used: it.verdict.used,
        quota: it.size.memory,
      })),
    )
    await tell(found.filter((it) => !it.verdict.kill))
    for (const { dyno } of found.filter((it) => it.verdict.kill)) {
      log.info('ending a dyno that lost a process to the kernel', { dyno: dyno.id })
      await runtime.kill(dyno.id, signal)
    }
    return EVERY
  }

  function foundOf(
    dyno: RunningDyno,
    use: MemoryUse,
    { restartAbove, load }: Pick<Found, 'restartAbove' | 'load'>,
  ): Found[] {
    const size = sizeNamed(dyno.size, deps.sizes())
    if (!size) return []
    const watched = { ...dyno, isOneOff: dyno.formation === null, restartAbove }
    const verdict = verdictOn(use, watched, { size, now: deps.clock.now() })
    return [{ dyno, use, size, verdict, restartAbove, load }]
  }

  async function tell(found: readonly Found[]): Promise<void> {
    const over = found.filter((it) => it.verdict.overQuota)
    const before = above
    above = new Set(over.map((it) => it.dyno.id))
    const now = deps.clock.now()
    const events = over
      .filter((it) => !before.has(it.dyno.id))
      .map((it) => overQuotaEvent(it, now))
    const restarts = found.filter((it) => it.verdict.restart)
    const lines = found.flatMap(linesOn)
    if (lines.length === 0 && restarts.length === 0) return
    await inTransaction(pool, async (tx) => {
      const asked = await restart(tx, restarts, now)
      await writeLogLines(tx, [...lines, ...asked])
      await writeEvents(tx, events)
    })
  }

  async function restart(
    tx: Queryable,
    restarts: readonly Found[],
    now: Date,
  ): Promise<LogLine[]> {
    if (restarts.length === 0) return []
    const ids = restarts.map((it) => it.dyno.id)
    const noted = await requestMemoryRestart(tx, ids, now)
    await wakeAll(
      tx,
      noted.map((it) => ({ kind: 'formation', subject: it.formation, region })),
    )
    const heard = new Set(noted.map((it) => it.id))
    return restarts
      .filter((it) => heard.has(it.dyno.id))
      .flatMap((it) => [
        lineOf(it, memoryInUse(it.verdict.used, it.size)),
        lineOf(it, restartingAbove(it.restartAbove ?? 0)),
      ])
  }
}

interface Found {
  readonly dyno: RunningDyno
  readonly use: MemoryUse
  readonly size: Size
  readonly verdict: Verdict
  readonly restartAbove: number | undefined
  /** Of those whose app wants to see it, once there were two samples. */
  readonly load: LoadAverage | undefined
}

function linesOn(found: Found): LogLine[] {
  const { dyno, use, size, verdict, load } = found
  const ps = placeOf(dyno)
  return [
    ...(verdict.overQuota ? [memoryInUse(verdict.used, size), OVER_QUOTA] : []),
    ...(load ? [loadMetrics({ ...dyno, ps }, load)] : []),
    ...(dyno.metrics ? [memoryMetrics({ ...dyno, ps }, use, size)] : []),
  ].map((line) => lineOf(found, line))
}

function lineOf({ dyno }: Found, message: string): LogLine {
  return { app: dyno.app, source: 'heroku', ps: placeOf(dyno), message }
}

function overQuotaEvent({ dyno, size, verdict }: Found, at: Date): AppEvent {
  const { app, id, release } = dyno
  const ps = placeOf(dyno)
  const message = `${ps} is above its memory quota: ${memoryInUse(verdict.used, size)}`
  return {
    app,
    at,
    kind: 'dyno.over-quota',
    dyno: id,
    ps,
    release,
    cause: 'memory',
    message,
  }
}

/** The load averages of dynos whose apps want to see them. A new manager begins anew. */
class Loads {
  readonly #deps: Pick<MemoryDeps, 'runtime' | 'clock'>
  #known: ReadonlyMap<DynoId, LoadAverage> = new Map()

  constructor(deps: Pick<MemoryDeps, 'runtime' | 'clock'>) {
    this.#deps = deps
  }

  /** Of those that were sampled before; who is not asked for is forgotten. */
  async of(
    dynos: readonly RunningDyno[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<DynoId, LoadAverage>> {
    const { runtime, clock } = this.#deps
    const wanted = dynos.filter((it) => it.metrics).map((it) => it.id)
    const before = this.#known
    if (wanted.length === 0 && before.size === 0) return before
    const runnable = await runtime.runnable(wanted, signal)
    const now = clock.now()
    this.#known = new Map(
      [...runnable].map(([id, tasks]) => [id, loadAverage(before.get(id), tasks, now)]),
    )
    return new Map([...this.#known].filter(([id]) => before.has(id)))
  }
}

/** MAYFLY_MEMORY_RESTART by release, of which config vars never change: each is opened once. */
class RestartShares {
  readonly #deps: Pick<MemoryDeps, 'pool' | 'secrets'>
  #known: ReadonlyMap<ReleaseId, number | undefined> = new Map()

  constructor(deps: Pick<MemoryDeps, 'pool' | 'secrets'>) {
    this.#deps = deps
  }

  /** What is not asked for is forgotten. */
  async of(
    dynos: readonly Pick<RunningDyno, 'release'>[],
  ): Promise<ReadonlyMap<ReleaseId, number | undefined>> {
    const { pool, secrets } = this.#deps
    const releases = [...new Set(dynos.map((it) => it.release))]
    const unknown = releases.filter((it) => !this.#known.has(it))
    const read = unknown.length > 0 ? await sealedConfigVars(pool, unknown) : []
    const opened = new Map(
      read.map(({ id, app, configVars }) => {
        const vars = JSON.parse(secrets.open(configVars, app)) as ConfigVars
        return [id, dynoPolicy(vars, new Set(), HEROKU_TIMINGS).memoryRestart]
      }),
    )
    this.#known = new Map(
      releases.map((it) => [it, opened.has(it) ? opened.get(it) : this.#known.get(it)]),
    )
    return this.#known
  }
}
