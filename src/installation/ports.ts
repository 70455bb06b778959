import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'

import type { DataDirectory, Installation } from './data-directory.ts'
import { runningPart } from './keep-part.ts'
import type { PartSpec } from './parts.ts'
import { Refusal } from './refusal.ts'
import { strayPart } from './strays.ts'

/** Throws a Refusal that names a port which a program has that is none of the `parts`. */
export async function portsMustBeFree(
  data: DataDirectory,
  { apiPort, regions }: Installation,
  parts: readonly PartSpec[],
): Promise<void> {
  const wanted = [
    { part: 'api', port: apiPort, host: '127.0.0.1', flag: '--api-port' },
    ...regions.flatMap(({ name, httpPort, httpsPort }) =>
      ['0.0.0.0', '::'].flatMap((host) => [
        { part: `router-${name}`, port: httpPort, host, flag: '--http-port' },
        {
          // This one may be another than before: that a router runs does not make it the router's.
          part: routerHas(data, name, httpsPort) ? `router-${name}` : undefined,
          port: httpsPort,
          host,
          flag: '--https-port',
        },
      ]),
    ),
  ]
  for (const { part, port, host, flag } of wanted) {
    const its = parts.find(({ name }) => name === part)
    const isOurs = its && (runningPart(data, its.name) ?? strayPart(its))
    if (isOurs || (await isFree(port, host))) continue
    throw new Refusal(
      `Port ${port} is taken by another program: end that, or set up with another ${flag} (and --data).`,
    )
  }
}

function routerHas(data: DataDirectory, region: string, port: number): boolean {
  const config = join(data.router(region), 'haproxy.cfg')
  return existsSync(config) && readFileSync(config, 'utf8').includes(`:${port} `)
}

/** One that this machine has no addresses of the kind for is. */
function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false)
      else if (['EAFNOSUPPORT', 'EADDRNOTAVAIL'].includes(error.code ?? '')) resolve(true)
      else reject(error)
    })
    server.listen({ port, host, ipv6Only: true, exclusive: true }, () =>
      server.close(() => resolve(true)),
    )
  })
}
