/**
 * P4: a dyno listens → the first request is routed to it. Under steady load web dynos are
 * restarted; each says in its answers how long after listening its first request came.
 */

import { steadyLoad } from '../test/steady-load.ts'
import type { Bench } from './installation.ts'
import { type Figure, median } from './figure.ts'

const RESTARTS = 30
const PER_SECOND = 400

export async function p4FirstRequest(bench: Bench): Promise<Figure[]> {
  await bench.scale('tiny', 'web', 1)
  await bench.settled('tiny', 'web', 1)
  const load = steadyLoad(`${bench.installation.url('tiny')}/`, PER_SECOND)
  for (let restart = 0; restart < RESTARTS; restart++) {
    await bench.replaced('tiny', 'web', () => bench.api('DELETE', '/apps/tiny/dynos'))
  }
  const { bodies } = await load.stop()
  // The first dyno had no load on it when it began to listen.
  const waits = [...bodies.keys()].map((body) => Number(body.split(' ')[1])).slice(1)
  const p50 = median(waits)
  return [
    {
      id: 'P4',
      what: `listening → first request, p50 of ${waits.length}`,
      measured: `${p50.toFixed(0)} ms (at most ${Math.max(...waits).toFixed(0)} ms)`,
      bar: '≤ 50 ms',
      met: p50 <= 50,
    },
  ]
}
