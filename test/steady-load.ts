/**
 * Steady load on one URL, for the tests that say no request may be lost: so many requests a
 * second, half of them each on a connection of its own, half on kept ones. It runs in the
 * test's own process, bounded by `stop`.
 */

import { Agent, get } from 'node:http'

import { pause, SECOND } from '../src/lib/clock.ts'

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

const DEADLINE = 60 * SECOND
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

interface Answer {
  readonly status: number
  readonly body: string
}

/** Thrown when a kept connection was closed by the other side before it took the request. */
class ClosedMeanwhile extends Error {
  override readonly name = 'ClosedMeanwhile'
}

/** Such a request was never taken, and every client sends it anew. */
async function fetchOnce(url: string, agent: Agent | undefined): Promise<Answer> {
  try {
    return await fetchBy(url, agent)
  } catch (error) {
    if (error instanceof ClosedMeanwhile) return fetchBy(url, undefined)
    throw error
  }
}

function fetchBy(url: string, agent: Agent | undefined): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: agent ?? false, timeout: DEADLINE }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (piece: string) => (body += piece))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
      response.on('error', reject)
    })
    request.on('timeout', () => request.destroy(new Error(`no answer in ${DEADLINE} ms`)))
    request.on('error', (error: NodeJS.ErrnoException) => {
      const untaken = request.reusedSocket && error.code === 'ECONNRESET'
      reject(untaken ? new ClosedMeanwhile('', { cause: error }) : error)
    })
  })
}
