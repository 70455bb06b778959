import type { ServerResponse } from 'node:http'

/**
 * Hangs up on a client that takes nothing of its answer, though there is more of it, from one look
 * to the next, `patience` milliseconds later: what it does not take is kept here, and by the part
 * that it comes from. No time passes while there is nothing for it.
 */
export function hangUpUnlessTaken(reply: ServerResponse, patience: number): void {
  const { socket } = reply
  if (!socket) return
  let before: number | undefined
  const looks = setInterval(() => {
    const isWaiting = reply.writableLength > 0
    const taken = isWaiting ? socket.bytesWritten - socket.writableLength : undefined
    if (isWaiting && taken === before) reply.destroy()
    before = taken
  }, patience)
  reply.once('close', () => clearInterval(looks))
}
