import { once } from 'node:events'
import { constants, open } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { basename, dirname } from 'node:path'

/** Of Linux: a place to go on from, which one need not be let read. */
const O_PATH = 0o10000000

/**
 * Connects to a unix socket wherever it lies: an address has 107 bytes, which the paths of
 * dynos' sockets exceed, so it is named from its directory. Each side ends by itself; an error
 * once it is connected shows only in that.
 */
export async function connectTo(path: string): Promise<Socket> {
  const directory = await open(dirname(path), O_PATH | constants.O_DIRECTORY)
  try {
    const near = `/proc/self/fd/${directory.fd}/${basename(path)}`
    const socket = connect({ path: near, allowHalfOpen: true })
    await once(socket, 'connect')
    socket.on('error', () => {})
    return socket
  } finally {
    await directory.close()
  }
}
