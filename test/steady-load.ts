/**
 * Steady load on one URL, for the tests that say no request may be lost: so many requests a
 * second, half of them each on a connection of its own, half on kept ones. It runs in the
 * test's own process, bounded by `stop`.
 */

import { Agent } from 'node:http'

import { pause, SECOND } from '../src/lib/clock.ts'
import { type Answer, ask as askOnce, ClosedMeanwhile } from './ask.ts'

export interface Tally {
  readonly answered: number
  /** What went wrong with each of the others: a status, or the error's words. */
  readonly failures: readonly string[]
  /** How many answers each dyno or release gave, by the body's first line. */
  readonly bodies: ReadonlyMap<string, number>
}

export interface Load {
  tally(): Tally
  /** Ends the load; resolves when the last request has ended. */
  stop(): Promise<Tally>
}

const TICK = 10

export function steadyLoad(url: string, perSecond: number): Load {
  const kept = new Agent({ keepAlive: true, maxSockets: 16 })
  const failures: string[] = []
  const bodies = new Map<string, number>()
  const underWay = new Set<Promise<void>>()
  const ended = new AbortController()
  let answered = 0
  let sent = 0

  const pacing = pace()
  const tally = (): Tally => ({ answered, failures, bodies })
  return {
    tally,
    async stop() {
      ended.abort()
      await pacing
      await Promise.all(underWay)
      kept.destroy()
      return tally()
    },
  }

  async function pace(): Promise<void> {
    const start = performance.now()
    while (!ended.signal.aborted) {
      const due = ((performance.now() - start) / SECOND) * perSecond
      for (; sent < due; sent++) {
        const asked = ask(sent % 2 === 0 ? kept : undefined).finally(() =>
          underWay.delete(asked),
        )
        underWay.add(asked)
      }
      await pause(TICK, ended.signal)
    }
  }

  async function ask(agent: Agent | undefined): Promise<void> {
    try {
      const { status, body } = await fetchOnce(url, agent)
      if (status !== 200) throw new Error(`status ${status}: ${body.slice(0, 80)}`)
      answered++
      const first = body.split('\n', 1)[0] ?? ''
      bodies.set(first, (bodies.get(first) ?? 0) + 1)
    } catch (error) {
      failures.push(
        `${new Date().toISOString()} ${error instanceof Error ? error.message : String(error)}`,
      )
    }
  }
}

/** What a server closed before it took the request was never asked, and every client asks anew. */
async function fetchOnce(url: string, agent: Agent | undefined): Promise<Answer> {
  try {
    return await askOnce(url, { agent })
  } catch (error) {
    if (error instanceof ClosedMeanwhile) return askOnce(url)
    throw error
  }
}
