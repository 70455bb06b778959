/** Scenario after scenario, with what came of each in a line, and of a failure all one needs. */

import { DAY, SECOND } from '../lib/clock.ts'
import { told } from './happening.ts'
import { type Scenario, scenarioOf } from './scenario.ts'
import { shrink } from './shrink.ts'
import type { Server } from './simulated-database.ts'
import { type Outcome, simulate } from './simulation.ts'

export interface SimulationWish {
  readonly seed: number
  /** How many, one after the other. */
  readonly seeds: number
  readonly days: number
  readonly apps: number
}

const MOST_REPLAYS = 80
const LINES_OF_TRACE = 30

/** Says whether one of them failed: at the first it stops. */
export async function simulateSeeds(
  { seed: first, seeds, days, apps }: SimulationWish,
  { server, say }: { readonly server: Server; readonly say: (line: string) => void },
): Promise<boolean> {
  const play = (it: Scenario) => simulate(it, server)
  for (let seed = first; seed < first + seeds; seed++) {
    const scenario = scenarioOf(seed, days, apps)
    const began = performance.now()
    const outcome = await play(scenario)
    const took = performance.now() - began
    say(summary(scenario, outcome, took))
    if (!outcome.violation) continue
    await sayWhy(scenario, outcome)
    return true
  }
  return false

  async function sayWhy(scenario: Scenario, outcome: Outcome): Promise<void> {
    const shortest = await shrink(scenario, outcome, { play, most: MOST_REPLAYS })
    say(`\nThe shortest way to it, after ${shortest.replays} replays:`)
    for (const it of shortest.scenario.happenings.filter(
      ({ does }) => does !== 'check',
    )) {
      const time = new Date(it.at).toISOString().slice(11, 23)
      say(`  day ${Math.floor(it.at / DAY)} ${time} ${told(it)}`)
    }
    say(`\nWhat it came to:`)
    for (const line of shortest.outcome.trace.slice(-LINES_OF_TRACE)) say(`  ${line}`)
    const { seed } = scenario
    say(
      `\nThe same again: ./mayfly simulate --seed ${seed} --days ${days} --apps ${apps}`,
    )
  }
}

function summary({ seed }: Scenario, outcome: Outcome, took: number): string {
  const { violation, passed, tally } = outcome
  const causes = [...tally.causes].map(([cause, count]) => `${cause} ${count}`)
  return [
    `seed ${seed}: ${violation ? `VIOLATED "${violation.invariant}": ${violation.message}` : 'all was well'}`,
    `  ${(passed / DAY).toFixed(1)} days in ${(took / SECOND).toFixed(1)} s: ${Math.round(passed / took)} simulated seconds a second`,
    `  ${tally.started} dynos started; stopped: ${causes.join(', ') || 'none'}`,
    `  ${tally.managers} lives of the manager, ${tally.faults} faults, ${tally.looks} looks, ${tally.turns} turns`,
  ].join('\n')
}
