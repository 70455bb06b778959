/** Has HAProxy begin anew with a configuration of another shape, and sees whether it could. */

import { MINUTE, pause, SECOND } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { failedReloads, reload } from './haproxy-master.ts'
import type { RouterPaths } from './router-paths.ts'

const TAKEN_WITHIN = 20 * SECOND
const POLL = 50
/**
 * While HAProxy tries what it cannot do, it takes no connections for two seconds, and each try counts for
 * `mworker-max-reloads`: after some the next good one would cut what old workers have. Milliseconds.
 */
const TRY_AGAIN = 5 * MINUTE

export class Reloads {
  readonly #log: Log
  #failed: { readonly shape: string; readonly at: number } | undefined

  constructor(log: Log) {
    this.#log = log
  }

  /**
   * Resolves to true once `hasShape` does, or if no HAProxy runs; to false where HAProxy could not take its
   * configuration: it goes on with the one before, and of one of the same shape is not told again for five minutes.
   * The log hears of each try that failed. Rejects where HAProxy neither takes nor refuses it within 20 seconds.
   */
  async to(
    shape: string,
    paths: RouterPaths,
    hasShape: () => Promise<boolean>,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (
      this.#failed?.shape === shape &&
      performance.now() - this.#failed.at < TRY_AGAIN
    ) {
      return false
    }
    const before = await failedReloads(paths)
    if (!(await reload(paths))) return true
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(TAKEN_WITHIN)])
    while (!deadline.aborted) {
      await pause(POLL, deadline)
      if (await hasShape()) {
        this.#failed = undefined
        return true
      }
      if ((await failedReloads(paths)) > before) {
        this.#failed = { shape, at: performance.now() }
        this.#log.error('HAProxy refused a reload', couldNot())
        return false
      }
    }
    throw new Error('HAProxy did not take its new configuration')
  }
}

function couldNot(): Error {
  return new Error(
    'HAProxy could not take its new configuration: its own log says why. It goes on with the one before, and is told of the new one after 5 minutes, or when it changes.',
  )
}
