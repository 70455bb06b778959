/**
 * P12: how long a dyno and the API take to answer while another app's dyno takes as much as it can
 * get, of one thing at a time, against how long they take while it does nothing.
 */

import { join } from 'node:path'
import { performance } from 'node:perf_hooks'

import { MINUTE, pause, SECOND } from '../src/lib/clock.ts'
import { ask } from '../test/ask.ts'
import { until } from '../test/until.ts'
import { type Figure, median, percentile } from './figure.ts'
import type { Bench } from './installation.ts'

/** What bench/hostile-app/bomb.py can do. */
export const BOMBS = [
  'processor',
  'processes',
  'memory',
  'disk',
  'inodes',
  'log',
  'files',
  'connections',
]
const BEGINS = 2 * SECOND
const MEASURED = 8 * SECOND
const BETWEEN = 10
const MOST = 2
/** For documentation: nobody is there. */
const NOWHERE = '203.0.113.9'

export async function p12Neighbours(bench: Bench): Promise<Figure[]> {
  await letBombsIn(bench)
  const figures: Figure[] = []
  for (const bomb of BOMBS) figures.push(...(await besideBomb(bench, bomb)))
  return figures
}

/** Beside the app `tiny`, which is there. */
export async function letBombsIn(bench: Bench): Promise<void> {
  await bench.scale('tiny', 'web', 1)
  await bench.settled('tiny', 'web', 1)
  await bench.deploy('hostile', join(import.meta.dirname, 'hostile-app'))
}

export async function besideBomb(bench: Bench, bomb: string): Promise<Figure[]> {
  // Before each: what the one before has left, as pages to be written, is nobody's fault.
  await pause(BEGINS)
  const quiet = await measured(bench)
  const stop = await thrown(bench, bomb)
  await pause(BEGINS)
  const loud = await measured(bench)
  await stop()
  return (['dyno', 'api'] as const).map((who): Figure => {
    const [before, during] = [quiet[who], loud[who]].map((it) => median(it))
    const ratio = (during ?? NaN) / (before ?? NaN)
    const [p95, its] = [quiet[who], loud[who]].map((it) => percentile(it, 0.95))
    return {
      id: 'P12',
      what: `${who} beside a bomb of ${bomb}, p50 (p95)`,
      measured: `${ratio.toFixed(2)} × of ${before?.toFixed(1)} ms (${its?.toFixed(1)} against ${p95?.toFixed(1)} ms)`,
      bar: `≤ ${MOST} ×`,
      met: ratio <= MOST,
    }
  })
}

/** Thrown again whenever it has ended, as one of memory does. Resolves to what ends it. */
async function thrown(bench: Bench, bomb: string): Promise<() => Promise<void>> {
  const over = new AbortController()
  const living = async () =>
    (await bench.api('GET', '/apps/hostile/dynos')) as { name: string }[]
  const keepUp = async () => {
    while (!over.signal.aborted) {
      if ((await living()).length === 0) {
        await bench.api('POST', '/apps/hostile/dynos', {
          command: `THERE=${NOWHERE} python3 bomb.py ${bomb}`,
        })
      }
      await pause(SECOND, over.signal)
    }
  }
  const kept = keepUp()
  return async () => {
    over.abort()
    await kept
    await bench.api('POST', '/apps/hostile/dynos/run/actions/stop').catch(() => {})
    await until('the bomb is gone', async () => (await living()).length === 0, MINUTE)
  }
}

/** Milliseconds. */
interface Answers {
  readonly dyno: readonly number[]
  readonly api: readonly number[]
}

async function measured(bench: Bench): Promise<Answers> {
  const dyno: number[] = []
  const api: number[] = []
  const end = performance.now() + MEASURED
  while (performance.now() < end) {
    dyno.push(await timed(() => ask(bench.installation.url('tiny'))))
    await pause(BETWEEN)
    api.push(await timed(() => bench.api('GET', '/apps/tiny')))
    await pause(BETWEEN)
  }
  return { dyno, api }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}
