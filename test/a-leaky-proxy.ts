/**
 * A router as none may be: it hands on what its clients say as it comes, over one connection to the
 * dyno that it keeps, and knows of requests only that who spoke last is to be answered. What one
 * client leaves unfinished is the beginning of the next one's request.
 */

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

export async function aLeakyProxy(
  t: TestContext,
  dyno: { readonly address: string; readonly port: number },
): Promise<{ readonly port: number }> {
  const clients = new Set<Socket>()
  let kept: Socket | undefined
  let last: Socket | undefined

  function toDyno(): Socket {
    return connect(dyno.port, dyno.address)
      .on('error', () => {})
      .on('data', (answer) => last?.write(answer))
      .on('close', () => last?.destroy())
  }

  const server = createServer((client) => {
    clients.add(client)
    client.on('error', () => {}).on('close', () => clients.delete(client))
    client.on('data', (bytes) => {
      last = client
      kept ??= toDyno()
      kept.write(bytes)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of [kept, ...clients]) socket?.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port }
}
