/** A region's resolver, kept as `mayfly up` keeps it, and name servers for it to ask. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { randomInt } from 'node:crypto'
import { join } from 'node:path'

import { endParts, isReady } from '../src/installation/control-plane.ts'
import { dataDirectory } from '../src/installation/data-directory.ts'
import { keepPart, runningPart } from '../src/installation/keep-part.ts'
import { partsOf } from '../src/installation/parts.ts'
import { systemClock } from '../src/lib/clock.ts'
import type { LocalRuntimeOptions } from '../src/runtime/local/region.ts'
import { until } from './until.ts'

export interface AResolver {
  readonly pid: () => number | undefined
  readonly isReady: () => Promise<boolean>
  /** What its supervisor said of it, and it itself. */
  readonly told: () => string
  readonly close: () => Promise<void>
}

/** The runtime must have prepared the region. */
export async function aResolver(options: LocalRuntimeOptions): Promise<AResolver> {
  const { installation: id, region: name, subnet, root } = options
  const data = dataDirectory(root)
  const region = { name, subnet, httpPort: 1, httpsPort: 1 }
  const parts = partsOf({
    data,
    installation: { id, apiPort: 1, domain: 'localhost', regions: [region] },
    program: join(import.meta.dirname, '..'),
    databaseUrl: undefined,
  })
  const part = parts.find((it) => it.name === `resolver-${name}`)
  if (!part) throw new Error('an installation has no resolver')
  for (const it of [data.run('supervisor'), data.programLogs]) {
    await mkdir(it, { recursive: true })
  }
  const said: string[] = []
  const stop = new AbortController()
  const kept = keepPart(
    part,
    { data, clock: systemClock, say: (it) => said.push(it) },
    stop.signal,
  )
  return {
    pid: () => runningPart(data, part.name)?.pid,
    isReady: () => isReady(part, data),
    told: () => `${said.join('\n')}\n${readFileSync(data.logFile(part.name), 'utf8')}`,
    close: async () => {
      stop.abort()
      await kept
      await endParts([part], data)
    },
  }
}

export interface NameServer {
  readonly address: string
  /** Its log, with each question. */
  readonly asked: () => string
  readonly close: () => Promise<void>
}

/** dnsmasq, with these of its options (`address=/www.example/93.184.216.34`); at an address of the loopback interface if not said otherwise. */
export async function aNameServer(
  records: readonly string[],
  address = `127.${randomInt(64, 128)}.${randomInt(256)}.${randomInt(1, 255)}`,
): Promise<NameServer> {
  const alone = ['--conf-file=/dev/null', '--no-hosts', '--no-resolv', '--pid-file']
  const where = [`--listen-address=${address}`, '--bind-interfaces', '--local=/#/']
  const how = ['--keep-in-foreground', '--log-facility=-', '--log-queries']
  const its = [...alone, ...where, ...how, ...records.map((it) => `--${it}`)]
  const server: ChildProcess = spawn('dnsmasq', its, {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let told = ''
  server.stderr?.setEncoding('utf8').on('data', (text: string) => (told += text))
  const gone = once(server, 'exit')
  await until('the name server has started', () => /started, version/.test(told))
  return {
    address,
    asked: () => told,
    close: async () => {
      server.kill('SIGKILL')
      await gone
    },
  }
}
