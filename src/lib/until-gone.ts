import type { ServerResponse } from 'node:http'

/** Aborts when its client hangs up, or has its answer; aborted already where it hung up before. */
export function untilGone(reply: ServerResponse): AbortSignal {
  const gone = new AbortController()
  // It closes once, and says so to nobody who comes to hear it later.
  if (reply.destroyed) gone.abort()
  else reply.once('close', () => gone.abort())
  return gone.signal
}
