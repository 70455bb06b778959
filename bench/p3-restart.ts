/** P3: from the death of a dyno's process to its successor's start: the first crash is forgiven at once. */

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { until } from '../test/until.ts'
import { type Figure, percentile } from './figure.ts'
import type { Bench } from './installation.ts'

const KILLS = 30

export async function p3Restart(bench: Bench): Promise<Figure[]> {
  const took: number[] = []
  for (let kill = 0; kill < KILLS; kill++) {
    // Anew each time, so that no crash before counts.
    await bench.scale('tiny', 'worker', 1)
    await bench.settled('tiny', 'worker', 1)
    took.push(await killAndWait(bench))
    await bench.scale('tiny', 'worker', 0)
    await bench.settled('tiny', 'worker', 0)
  }
  const p50 = percentile(took, 0.5)
  return [
    {
      id: 'P3',
      what: `process killed → successor's process started, p50 of ${KILLS}`,
      measured: `${p50.toFixed(0)} ms (p99 ${percentile(took, 0.99).toFixed(0)} ms)`,
      bar: '≤ 150 ms',
      met: p50 <= 150,
    },
  ]
}

async function killAndWait({ database, installation }: Bench): Promise<number> {
  const { rows } = await database.query<{ id: string }>(
    `select id from dynos where type = 'worker' and state = 'up'`,
  )
  const id = rows[0]?.id ?? ''
  const killed = Date.now()
  killProcessesOf(
    Number(readFileSync(join(installation.data.dynos('us'), id, 'pid'), 'utf8')),
  )
  let began: Date | undefined
  await until('its successor has started', async () => {
    const next = await database.query<{ began: Date }>(
      `select started_at as began from dynos
        where type = 'worker' and id <> $1 and started_at is not null and state <> 'down'`,
      [id],
    )
    began = next.rows[0]?.began
    return began !== undefined
  })
  return (began?.getTime() ?? NaN) - killed
}

/** What the init of a dyno started: the app's own process ends, and then the init by itself. */
function killProcessesOf(init: number): void {
  execFileSync('pkill', ['-KILL', '-P', String(init)])
}
