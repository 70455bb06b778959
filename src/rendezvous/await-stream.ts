import type { Socket } from 'node:net'

import { pause, SECOND } from '../lib/clock.ts'
import { connectTo } from './connect-to.ts'

const FIRST_LOOK_AFTER = 5
const LONGEST_PAUSE = 0.1 * SECOND
const ASK_EVERY = SECOND
/** The socket is not there yet, or not opened to us yet. */
const NOT_YET = new Set(['ENOENT', 'ECONNREFUSED', 'EACCES'])

/**
 * Connects to a process's stream as soon as there is one. Undefined: there is none, and will be
 * none, as `isSettled` says, which is asked every second, or the signal has aborted.
 */
export async function awaitStream(
  path: string,
  isSettled: () => Promise<boolean>,
  signal: AbortSignal,
): Promise<Socket | undefined> {
  let asked = performance.now()
  for (let wait = FIRST_LOOK_AFTER; !signal.aborted;) {
    const stream = await connectTo(path).catch(nothingYet)
    if (stream) return stream
    if (performance.now() - asked > ASK_EVERY) {
      if (await isSettled()) return connectTo(path).catch(nothingYet)
      asked = performance.now()
    }
    await pause(wait, signal)
    wait = Math.min(LONGEST_PAUSE, wait * 1.5)
  }
  return undefined
}

function nothingYet(error: NodeJS.ErrnoException): undefined {
  if (error.code === undefined || !NOT_YET.has(error.code)) throw error
}
