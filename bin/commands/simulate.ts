import { simulateSeeds } from '../../src/simulation/simulate-seeds.ts'
import { withServer } from '../../src/simulation/simulated-database.ts'
import { Refusal } from '../../src/installation/refusal.ts'
import { withThrowAwayPostgres } from '../../src/installation/throw-away-postgres.ts'
import { parsed } from './arguments.ts'

const LARGEST_SEED = 2 ** 32 - 1

/** Plays days of dynos' lives in seconds; on failure it prints the shortest way to it. */
export async function simulate(args: string[]): Promise<number> {
  const { values } = parsed({
    args,
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string' },
      days: { type: 'string' },
      apps: { type: 'string' },
    },
  })
  const seed = number('seed', values.seed ?? String(Date.now() % 1_000_000), LARGEST_SEED)
  const wish = {
    seed,
    seeds: number('seeds', values.seeds ?? '1', 10_000),
    days: number('days', values.days ?? '10', 3650),
    apps: number('apps', values.apps ?? '2', 100),
  }
  const failed = await withThrowAwayPostgres((host) =>
    withServer(host, (server) =>
      simulateSeeds(wish, { server, say: (line) => console.log(line) }),
    ),
  )
  return failed ? 1 : 0
}

function number(name: string, text: string, most: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value <= most) return value
  throw new Refusal(`--${name} must be a number up to ${most}.`, 2)
}
