/**
 * P1: from the API request to a dyno's process started. One detached one-off at a time:
 * `POST` of a dyno, until the runtime says when its process began.
 */

import { realpathSync } from 'node:fs'
import { join } from 'node:path'

import { until } from '../test/until.ts'
import { dockerRun } from './docker.ts'
import type { Bench } from './installation.ts'
import { type Figure, percentile } from './figure.ts'

const STARTS = 50

export async function p1Start(bench: Bench): Promise<Figure[]> {
  const took: number[] = []
  for (let start = 0; start < STARTS; start++) took.push(await startOneOff(bench))
  const [p50, p99] = [percentile(took, 0.5), percentile(took, 0.99)]
  const docker = await dockerRun(
    realpathSync(join(bench.installation.data.stacks, 'debian-12')),
  )
  return [
    {
      id: 'P1',
      what: `API request → process started, p50 of ${STARTS}`,
      measured: `${p50.toFixed(0)} ms`,
      bar: '≤ 60 ms',
      met: p50 <= 60,
    },
    {
      id: 'P1',
      what: 'the same, p99',
      measured: `${p99.toFixed(0)} ms`,
      bar: '≤ 250 ms',
      met: p99 <= 250,
    },
    {
      id: 'P1',
      what: 'p50 beside `docker run -d`',
      measured:
        docker === undefined
          ? ''
          : `${(p50 / docker).toFixed(2)} × (${docker.toFixed(0)} ms)`,
      bar: '≤ 0.3 ×',
      met: docker === undefined ? undefined : p50 / docker <= 0.3,
    },
  ]
}

/** Milliseconds. The next one begins when all of this one is gone. */
async function startOneOff(bench: Bench): Promise<number> {
  const asked = Date.now()
  const answer = await bench.api('POST', '/apps/tiny/dynos', { command: 'sleep 600' })
  const { id } = answer as { readonly id: string }
  let began: Date | null = null
  await until('it has begun', async () => {
    began = (await rowOf(id))?.began ?? null
    return began !== null
  })
  const took = Number(began) - asked
  await bench.api('POST', `/apps/tiny/dynos/${id}/actions/stop`)
  await until('it is down', async () => (await rowOf(id))?.state === 'down')
  return took

  async function rowOf(dyno: string) {
    const { rows } = await bench.database.query<{ began: Date | null; state: string }>(
      'select started_at as began, state from dynos where id = $1',
      [dyno],
    )
    return rows[0]
  }
}
