/**
 * P9: with 500 dynos up the manager is killed, and started again by the supervisor: until it
 * has looked after every formation, and nothing of them was restarted.
 */

import { pause, SECOND } from '../src/lib/clock.ts'
import { readProcessFile } from '../src/installation/living-process.ts'
import { until } from '../test/until.ts'
import { type Figure, median } from './figure.ts'
import type { Bench } from './installation.ts'

const DYNOS = Number(process.env['MAYFLY_P9_DYNOS'] ?? 500)
/** Heroku's limit, and ours. */
const MOST_OF_AN_APP = 100
const ROUNDS = 3
/** The supervisor starts a part again at once that has run for ten seconds. */
const BETWEEN = 11 * SECOND

export async function p9Adoption(bench: Bench): Promise<Figure[]> {
  const apps = sharesOf(DYNOS)
  for (const [app, dynos] of apps) {
    await bench.deploy(app)
    await bench.scale(app, 'web', 0)
    await bench.scale(app, 'worker', dynos)
    await bench.settled(app, 'worker', dynos)
  }

  const before = await dynosOf(bench)
  const took: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    await pause(BETWEEN)
    took.push(await killManager(bench))
  }
  const after = await dynosOf(bench)
  for (const [app] of apps) {
    await bench.scale(app, 'worker', 0)
    await bench.settled(app, 'worker', 0)
  }
  const restarted = before.filter((it) => !after.includes(it)).length
  return [
    {
      id: 'P9',
      what: `manager of ${before.length} dynos killed → all adopted, median of ${ROUNDS}`,
      measured: `${(median(took) / 1000).toFixed(2)} s (at most ${(Math.max(...took) / 1000).toFixed(2)} s)`,
      bar: '≤ 3 s',
      met: median(took) <= 3000,
    },
    {
      id: 'P9',
      what: 'dynos restarted by that',
      measured: String(restarted),
      bar: '0',
      met: restarted === 0,
    },
  ]
}

/** Milliseconds until its successor has looked after every formation. */
async function killManager({ database, installation }: Bench): Promise<number> {
  const file = installation.data.processFile('manager-us')
  const victim = readProcessFile(file)
  if (!victim) throw new Error('no manager runs')
  const { rows } = await database.query<{ wakes: string }>(
    `select sum(wakes) as wakes from work where kind = 'formation'`,
  )
  const killed = performance.now()
  process.kill(victim.pid, 'SIGKILL')
  await until(
    'every formation was looked after',
    async () => {
      const now = readProcessFile(file)
      if (!now || now.pid === victim.pid) return false
      const { rows: work } = await database.query<{ adopted: boolean }>(
        `select bool_and(leased_until is null and run_at > now()) and sum(wakes) > $1 as adopted
           from work where kind = 'formation'`,
        [rows[0]?.wakes],
      )
      return work[0]?.adopted === true
    },
    60_000,
  )
  return performance.now() - killed
}

/** Whoever is up, and since when. */
async function dynosOf({ database }: Bench): Promise<string[]> {
  const { rows } = await database.query<{ life: string }>(
    `select id || ' ' || started_at as life from dynos where state = 'up'`,
  )
  return rows.map((row) => row.life)
}

function sharesOf(dynos: number): [app: string, dynos: number][] {
  const apps = Math.ceil(dynos / MOST_OF_AN_APP)
  return Array.from({ length: apps }, (_, nth) => [
    `many-${nth}`,
    Math.min(MOST_OF_AN_APP, dynos - nth * MOST_OF_AN_APP),
  ])
}
