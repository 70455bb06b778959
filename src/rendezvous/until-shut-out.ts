import { pause, SECOND } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'

const STILL_LET_IN_EVERY = 5 * SECOND

export interface Watch {
  /** Milliseconds between two looks; as a rule `STILL_LET_IN_EVERY`. */
  readonly every?: number | undefined
  /** Aborts when the client is gone. */
  readonly gone: AbortSignal
  readonly log: Log
}

/**
 * Waits until a client may not be here any more, as `isLetIn` says, and says true; false: it went
 * before. What can't be found out is not so.
 */
export async function untilShutOut(
  isLetIn: () => Promise<boolean>,
  { every = STILL_LET_IN_EVERY, gone, log }: Watch,
): Promise<boolean> {
  for (;;) {
    await pause(every, gone)
    if (gone.aborted) return false
    try {
      if (!(await isLetIn())) return true
    } catch (error) {
      log.error('cannot tell whether a client is still let in', error)
    }
  }
}
