/** P2: 0 → 100 web dynos, until all are up and routed, beside bare conmon and crun. */

import { realpathSync } from 'node:fs'
import { join } from 'node:path'

import { startBareContainers } from './bare-containers.ts'
import { type Figure, median } from './figure.ts'
import type { Bench } from './installation.ts'

const DYNOS = 100
const ROUNDS = 3

export async function p2ScaleUp(bench: Bench): Promise<Figure[]> {
  const rootfs = realpathSync(join(bench.installation.data.stacks, 'debian-12'))
  const ours: number[] = []
  const bare: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    await bench.scale('tiny', 'web', 0)
    await bench.settled('tiny', 'web', 0)
    bare.push(await startBareContainers(DYNOS, rootfs))
    const start = performance.now()
    await bench.scale('tiny', 'web', DYNOS)
    await bench.settled('tiny', 'web', DYNOS)
    ours.push((1000 * DYNOS) / (performance.now() - start))
  }
  await bench.scale('tiny', 'web', 1)
  await bench.settled('tiny', 'web', 1)

  const [mine, theirs] = [median(ours), median(bare)]
  return [
    {
      id: 'P2',
      what: `0 → ${DYNOS} web dynos up and routed, median of ${ROUNDS}`,
      measured: `${mine.toFixed(1)} dynos/s`,
      bar: '≥ 20 dynos/s',
      met: mine >= 20,
    },
    {
      id: 'P2',
      what: 'beside bare conmon + crun, 8 at a time',
      measured: `${(mine / theirs).toFixed(2)} × (${theirs.toFixed(1)}/s)`,
      bar: '≥ 0.5 ×',
      met: mine / theirs >= 0.5,
    },
  ]
}
