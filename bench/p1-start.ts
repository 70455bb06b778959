/**
 * P1: from the API request to a dyno's process started. One worker at a time: `PATCH` of
 * its formation's quantity to 1, until the runtime says when the process began.
 */

import { realpathSync } from 'node:fs'
import { join } from 'node:path'

import { dockerRun } from './docker.ts'
import type { Bench } from './installation.ts'
import { type Figure, percentile } from './figure.ts'

const STARTS = 50

export async function p1Start(bench: Bench): Promise<Figure[]> {
  const took: number[] = []
  for (let start = 0; start < STARTS; start++) {
    const asked = Date.now()
    await bench.scale('tiny', 'worker', 1)
    await bench.settled('tiny', 'worker', 1)
    const { rows } = await bench.database.query<{ began: Date }>(
      `select max(started_at) as began from dynos where type = 'worker'`,
    )
    took.push((rows[0]?.began.getTime() ?? NaN) - asked)
    await bench.scale('tiny', 'worker', 0)
    await bench.settled('tiny', 'worker', 0)
  }
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
