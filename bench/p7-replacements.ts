/** P7: requests lost over 200 replacements of web dynos, of every kind, under steady load. */

import { HOUR } from '../src/lib/clock.ts'
import { steadyLoad } from '../test/steady-load.ts'
import { writeFileSync } from 'node:fs'
import type { Bench } from './installation.ts'
import type { Figure } from './figure.ts'

const REPLACEMENTS = 200
const PER_SECOND = 300
const DYNOS = 4

export async function p7Replacements(bench: Bench): Promise<Figure[]> {
  await bench.scale('tiny', 'web', DYNOS)
  await bench.settled('tiny', 'web', DYNOS)
  const load = steadyLoad(`${bench.installation.url('tiny')}/`, PER_SECOND)
  const ways = waysToReplace(bench)
  let replaced = 0
  for (let round = 0; replaced < REPLACEMENTS; round++) {
    replaced += (await ways[round % ways.length]?.(round)) ?? 0
  }
  const { answered, failures } = await load.stop()
  return [
    {
      id: 'P7',
      what: `requests failed over ${replaced} replacements, of ${answered + failures.length}`,
      measured: String(failures.length),
      bar: '0',
      met: failures.length === 0,
    },
  ]
}

/** Each says how many dynos it replaced. */
function waysToReplace(bench: Bench): ((round: number) => Promise<number>)[] {
  const replace = async (act: () => Promise<unknown>): Promise<number> => {
    await bench.replaced('tiny', 'web', act)
    return DYNOS
  }
  return [
    (round) =>
      replace(() =>
        bench.api('PATCH', '/apps/tiny/config-vars', { ROUND: String(round) }),
      ),
    () => replace(() => bench.api('DELETE', '/apps/tiny/dynos')),
    (round) =>
      replace(async () => {
        const settings = { clockOffset: (round + 1) * 28 * HOUR }
        writeFileSync(bench.installation.data.managerSettings, JSON.stringify(settings))
      }),
    async () => {
      await bench.scale('tiny', 'web', DYNOS + 2)
      await bench.settled('tiny', 'web', DYNOS + 2)
      await bench.scale('tiny', 'web', DYNOS)
      await bench.settled('tiny', 'web', DYNOS)
      return 2
    },
    () =>
      replace(async () => {
        const releases = (await bench.api('GET', '/apps/tiny/releases')) as Release[]
        const [latest] = releases.toSorted((a, b) => b.version - a.version)
        await bench.api('POST', '/apps/tiny/releases', { release: latest?.id })
      }),
  ]
}

interface Release {
  readonly id: string
  readonly version: number
}
