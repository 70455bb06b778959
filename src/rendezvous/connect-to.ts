import { once } from 'node:events'
import { constants, open } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { basename, dirname } from 'node:path'

/**
 * Connects to a unix socket wherever it lies: an address has 107 bytes, which the paths of
 * dynos' sockets exceed, so it is named from its directory. Each side ends by itself; an error
 * once it is connected shows only in that.
 */
export async function connectTo(path: string): Promise<Socket> {
  const directory = await open(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY)
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
