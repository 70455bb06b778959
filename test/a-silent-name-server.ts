import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { TestContext } from 'node:test'

/** One that takes questions and never answers, until the test ends; returns its address and port. */
export async function aSilentNameServer(t: TestContext): Promise<string> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  t.after(() => socket.close())
  await once(socket, 'listening')
  return `127.0.0.1:${socket.address().port}`
}
