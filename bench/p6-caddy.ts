/** P6: the router beside Caddy as a plain reverse proxy, in turn, by wrk. */

import { existsSync } from 'node:fs'

import { type Figure, median } from './figure.ts'
import type { Bench } from './installation.ts'
import { oneWebDyno, startPeer } from './peer-proxy.ts'
import { load } from './wrk.ts'

const CADDY = '/usr/bin/caddy'
const ROUNDS = 5

export async function p6Caddy(bench: Bench): Promise<Figure[]> {
  const ratio = existsSync(CADDY) ? await beside(bench) : undefined
  return [
    {
      id: 'P6',
      what: 'router throughput beside Caddy',
      measured: ratio === undefined ? '' : `${ratio.toFixed(1)} ×`,
      bar: '≥ 3 ×',
      met: ratio === undefined ? undefined : ratio >= 3,
    },
  ]
}

/** Of medians. */
async function beside(bench: Bench): Promise<number> {
  const { address } = await oneWebDyno(bench)
  const caddy = [CADDY, 'run', '--adapter', 'caddyfile', '--config']
  const peer = await startPeer('Caddyfile', (port) => caddyfile(port, address), caddy)
  const ours: number[] = []
  const theirs: number[] = []
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const url = bench.installation.url('tiny')
      ours.push((await load(url, process.pid)).perSecond)
      theirs.push((await load(peer.url, peer.pid)).perSecond)
    }
  } finally {
    await peer.stop()
  }
  return median(ours) / median(theirs)
}

/** No log, no request ids: as fast as it gets. */
function caddyfile(port: number, dyno: string): string {
  return `{
  admin off
  auto_https off
}
http://:${port} {
  reverse_proxy ${dyno}
}
`
}
