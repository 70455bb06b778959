import type { Duplex } from 'node:stream'

import { SECOND } from '../../lib/clock.ts'

const PATIENCE = 10 * SECOND

/**
 * Waits for a connection to say something, and puts it back to be read again. Resolves to
 * the first byte; to undefined where the other side hung up, failed or kept silent, and then
 * the connection is gone.
 */
export function firstByteOf(
  socket: Duplex,
  patience: number = PATIENCE,
): Promise<number | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => give(undefined), patience)
    const heard = (chunk: Buffer) => {
      socket.pause()
      socket.unshift(chunk)
      give(chunk[0])
    }
    const gone = () => give(undefined)
    socket.once('data', heard)
    socket.once('end', gone)
    socket.once('error', gone)
    socket.once('close', gone)

    function give(byte: number | undefined): void {
      clearTimeout(timer)
      socket.off('data', heard)
      socket.off('end', gone)
      socket.off('close', gone)
      // An error that comes too late for us is the next owner's, or nobody's.
      if (byte === undefined) socket.on('error', () => {}).destroy()
      socket.off('error', gone)
      resolve(byte)
    }
  })
}

const TLS_HANDSHAKE = 0x16

export function beginsTls(byte: number): boolean {
  return byte === TLS_HANDSHAKE
}

/** Methods are written in capitals; the secret line of a rendezvous is not. */
export function beginsHttp(byte: number): boolean {
  return byte >= 0x41 && byte <= 0x5a
}
