/**
 * P5: the router beside a hand-written HAProxy configuration with the same log line, both
 * in front of the same dyno, in turn, by wrk.
 */

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { freePorts } from '../test/an-installation.ts'
import { until } from '../test/until.ts'
import { type Figure, median } from './figure.ts'
import type { Bench } from './installation.ts'

const ROUNDS = 5
const SECONDS = 5
const run = promisify(execFile)

interface Throughput {
  readonly perSecond: number
  /** Milliseconds. */
  readonly p99: number
}

export async function p5Router(bench: Bench): Promise<Figure[]> {
  await bench.scale('tiny', 'web', 1)
  await bench.settled('tiny', 'web', 1)
  const { rows } = await bench.database.query<{ address: string }>(
    `select host(address) || ':' || port as address from dynos where type = 'web' and state = 'up'`,
  )
  const peer = await startPeer(bench, rows[0]?.address ?? '')
  const ours: Throughput[] = []
  const theirs: Throughput[] = []
  try {
    for (let round = 0; round < ROUNDS; round++) {
      ours.push(await load(bench.installation.url('tiny')))
      theirs.push(await load(peer.url))
    }
  } finally {
    await peer.stop()
  }

  const throughput = ratio(ours, theirs, (it) => it.perSecond)
  const p99 = ratio(ours, theirs, (it) => it.p99)
  return [
    {
      id: 'P5',
      what: 'router throughput beside a hand-written HAProxy',
      measured: `${throughput.toFixed(2)} × (${median(ours.map((it) => it.perSecond)).toFixed(0)}/s)`,
      bar: '≥ 0.85 ×',
      met: throughput >= 0.85,
    },
    {
      id: 'P5',
      what: 'the same, p99',
      measured: `${p99.toFixed(2)} × (${median(ours.map((it) => it.p99)).toFixed(1)} ms)`,
      bar: '≤ 1.2 ×',
      met: p99 <= 1.2,
    },
  ]
}

/** Of medians. */
function ratio(
  ours: readonly Throughput[],
  theirs: readonly Throughput[],
  what: (it: Throughput) => number,
): number {
  return median(ours.map(what)) / median(theirs.map(what))
}

async function startPeer(bench: Bench, dyno: string) {
  const directory = mkdtempSync(join(tmpdir(), 'mayfly-p5-'))
  const config = join(directory, 'haproxy.cfg')
  const [, port = 0] = await freePorts(1)
  writeFileSync(
    config,
    handWritten(port, dyno, join(bench.installation.data.run('logs'), 'syslog.sock')),
  )
  const haproxy = spawn('haproxy', ['-db', '-f', config], { stdio: 'inherit' })
  const ended = once(haproxy, 'exit')
  await until('the peer listens', () => listens(port))
  return {
    url: `http://tiny.localhost:${port}`,
    async stop() {
      haproxy.kill('SIGTERM')
      await ended
      rmSync(directory, { recursive: true })
    },
  }
}

function handWritten(port: number, dyno: string, log: string): string {
  return `global
  nbthread 2
defaults
  mode http
  timeout connect 5s
  timeout client 55s
  timeout server 55s
ring requests
  format raw
  maxlen 16384
  size 1048576
  server logs unix@${log} log-proto octet-count
frontend web
  bind 127.0.0.1:${port}
  log ring@requests format raw local3
  log-format "%[uuid] %ci %ft %b/%s %Tw/%Tc/%Tr/%Ta %ST %B %ts %HM %[capture.req.uri]"
  unique-id-format %[uuid]
  unique-id-header X-Request-Id
  option forwardfor
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Request-Start %Ts000
  default_backend dyno
backend dyno
  http-reuse safe
  server web.1 ${dyno}
`
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/** wrk with one thread and 64 connections. */
async function load(url: string): Promise<Throughput> {
  const args = [
    '--threads',
    '1',
    '--connections',
    '64',
    '--duration',
    `${SECONDS}s`,
    '--latency',
  ]
  const { stdout } = await run('wrk', [...args, `${url}/`])
  const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1])
  const [, amount, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout) ?? []
  const milliseconds = { us: 0.001, ms: 1, s: 1000 }[unit ?? 'ms'] ?? 1
  return { perSecond, p99: Number(amount) * milliseconds }
}
