/**
 * The shortest scenario that still violates the same invariant: what came after the violation
 * is left out, then halves, quarters, … and at last single happenings, as long as it fails.
 */

import { DAY } from '../lib/clock.ts'
import type { Happening } from './happening.ts'
import type { Scenario } from './scenario.ts'
import type { Outcome } from './simulation.ts'

export interface Shrunk {
  readonly scenario: Scenario
  readonly outcome: Outcome
  /** How often it was played again. */
  readonly replays: number
}

/** `play` must come to the same each time. At most so many replays are made. */
export async function shrink(
  scenario: Scenario,
  failed: Outcome,
  {
    play,
    most,
  }: { readonly play: (scenario: Scenario) => Promise<Outcome>; readonly most: number },
): Promise<Shrunk> {
  let best = { scenario, outcome: failed }
  let replays = 0
  const mayReplay = () => replays < most
  await tryWith(before(scenario, failed))
  let size = half(best.scenario)
  while (size >= 1 && mayReplay()) {
    const left = await leaveOut(size)
    size = left ? Math.min(size, half(best.scenario)) : Math.floor(size / 2)
  }
  return { ...best, replays }

  /** Whether a piece of that size could go. */
  async function leaveOut(length: number): Promise<boolean> {
    let any = false
    let from = 0
    while (from < best.scenario.happenings.length && mayReplay()) {
      const { happenings } = best.scenario
      const piece = happenings.slice(from, from + length)
      const rest = happenings.filter((it) => it.does === 'check' || !piece.includes(it))
      if (rest.length < happenings.length && (await tryWith(rest))) any = true
      else from += length
    }
    return any
  }

  async function tryWith(happenings: readonly Happening[]): Promise<boolean> {
    replays++
    const days = Math.ceil(best.outcome.passed / DAY)
    const shorter = { ...best.scenario, happenings, days }
    const outcome = await play(shorter)
    if (outcome.violation?.invariant !== failed.violation?.invariant) return false
    best = { scenario: shorter, outcome }
    return true
  }
}

function half({ happenings }: Scenario): number {
  return Math.max(1, Math.floor(happenings.length / 2))
}

function before({ happenings }: Scenario, { passed }: Outcome): Happening[] {
  return happenings.filter(({ at }) => at <= passed)
}
