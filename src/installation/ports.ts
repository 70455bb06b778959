import { createServer } from 'node:net'

import type { DataDirectory, Installation } from './data-directory.ts'
import { runningPart } from './keep-part.ts'
import { Refusal } from './refusal.ts'
import { strayPart } from './strays.ts'

/** Throws a Refusal that names a port which another program has. */
export async function portsMustBeFree(
  data: DataDirectory,
  { apiPort, regions }: Installation,
): Promise<void> {
  const wanted = [
    { part: 'api', port: apiPort, host: '127.0.0.1', flag: '--api-port' },
    ...regions.map(({ name, httpPort }) => ({
      part: `router-${name}`,
      port: httpPort,
      host: '0.0.0.0',
      flag: '--http-port',
    })),
  ]
  for (const { part, port, host, flag } of wanted) {
    const isOurs =
      runningPart(data, part) ?? strayPart({ MAYFLY_DATA: data.root, MAYFLY_PART: part })
    if (isOurs || (await isFree(port, host))) continue
    throw new Refusal(
      `Port ${port} is taken by another program: end that, or set up with another ${flag} (and --data).`,
    )
  }
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
    )
    server.listen({ port, host, exclusive: true }, () =>
      server.close(() => resolve(true)),
    )
  })
}
