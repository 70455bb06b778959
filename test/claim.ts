import { createServer, type Server } from 'node:net'

/**
 * What one test of the machine has at a time, in whatever run: undefined while another has it. It goes with its
 * process, however that ends, being an abstract socket; or when it is closed.
 */
export function claim(name: string): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const socket = createServer().unref()
    socket.once('error', () => resolve(undefined))
    socket.listen(`\0mayfly-test-${name}`, () => resolve(socket))
  })
}
