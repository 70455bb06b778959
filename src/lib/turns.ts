/** As `places`, for those who may wait: each has so many turns at once, and whoever comes then waits for one. */

import { pause } from './clock.ts'

export interface TurnLimits {
  readonly atOnce: number
  /** Of those that wait. */
  readonly inLine: number
  /** Of each of them, in milliseconds. */
  readonly patience: number
}

export interface Turns {
  /**
   * Resolves to what to call, once, at its end; to undefined where too many wait already, where
   * patience was not enough, or where the signal aborted first. Who comes first is first.
   */
  take(key: string, signal: AbortSignal): Promise<(() => void) | undefined>
}

export function turns({ atOnce, inLine, patience }: TurnLimits): Turns {
  const lines = new Map<string, Line>()
  return {
    async take(key, signal) {
      const line = lines.get(key) ?? { taken: 0, waiting: [] }
      lines.set(key, line)
      if (line.taken < atOnce) line.taken += 1
      else if (!(await comesUp(line, signal))) return undefined
      return () => passOn(key, line)
    },
  }

  /** Whether somebody passes on a turn to it in time. */
  async function comesUp({ waiting }: Line, signal: AbortSignal): Promise<boolean> {
    if (waiting.length >= inLine) return false
    const called = new AbortController()
    waiting.push(called)
    await pause(patience, AbortSignal.any([called.signal, signal]))
    if (called.signal.aborted) return true
    waiting.splice(waiting.indexOf(called), 1)
    return false
  }

  function passOn(key: string, line: Line): void {
    const next = line.waiting.shift()
    if (next) return next.abort()
    line.taken -= 1
    if (line.taken === 0) lines.delete(key)
  }
}

interface Line {
  taken: number
  /** The first in line first; each is called by its signal. */
  readonly waiting: AbortController[]
}
