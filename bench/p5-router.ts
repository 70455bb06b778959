/**
 * P5: the router beside a hand-written HAProxy configuration with the same log line, both
 * in front of the same dyno, in turn, by wrk. Where others use the machine too, the CPU
 * time a request takes tells more than throughput.
 */

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { freePorts } from '../test/an-installation.ts'
import { until } from '../test/until.ts'
import { ask } from '../src/router/haproxy-socket.ts'
import { routerPaths } from '../src/router/router-paths.ts'
import { type Figure, median } from './figure.ts'
import type { Bench } from './installation.ts'

const ROUNDS = 5
const SECONDS = 5
const run = promisify(execFile)

interface Throughput {
  readonly perSecond: number
  /** Milliseconds. */
  readonly p99: number
  /** Of the proxy, user and system, for one request; microseconds. */
  readonly cpu: number
}

export async function p5Router(bench: Bench): Promise<Figure[]> {
  await bench.scale('tiny', 'web', 1)
  await bench.settled('tiny', 'web', 1)
  const { rows } = await bench.database.query<{ address: string }>(
    `select host(address) || ':' || port as address from dynos where type = 'web' and state = 'up'`,
  )
  const peer = await startPeer(bench, rows[0]?.address ?? '')
  const worker = await workerOf(bench)
  const ours: Throughput[] = []
  const theirs: Throughput[] = []
  try {
    for (let round = 0; round < ROUNDS; round++) {
      ours.push(await load(bench.installation.url('tiny'), worker))
      theirs.push(await load(peer.url, peer.pid))
    }
  } finally {
    await peer.stop()
  }

  const throughput = ratio(ours, theirs, (it) => it.perSecond)
  const p99 = ratio(ours, theirs, (it) => it.p99)
  const cpu = ratio(ours, theirs, (it) => it.cpu)
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
    {
      id: 'P5',
      what: 'the same, CPU time a request',
      measured: `${cpu.toFixed(2)} × (${median(ours.map((it) => it.cpu)).toFixed(1)} µs)`,
      bar: '≤ 1.18 ×',
      met: cpu <= 1 / 0.85,
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
    pid: haproxy.pid ?? 0,
    url: `http://tiny.localhost:${port}`,
    async stop() {
      haproxy.kill('SIGTERM')
      await ended
      rmSync(directory, { recursive: true })
    },
  }
}

function handWritten(port: number, dyno: string, log: string): string {
  const user = process.getuid?.() === 0 ? '  user haproxy\n  group haproxy\n' : ''
  return `global
${user}defaults
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
  log-format '%[date(0,us)] %f %s %TR %Tw %Tc %Ta %ST %B %ts - %HM %ID %{+Q}HU %{+Q,+E}[capture.req.hdr(0)] "%ci" ""'
  capture request header host len 256
  unique-id-format %[uuid]
  unique-id-header X-Request-Id
  option forwardfor
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Request-Start %[date(0,ms)]
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

/** The pid of the router's HAProxy that serves. */
async function workerOf({ installation }: Bench): Promise<number> {
  const { adminSocket } = routerPaths(installation.data.router('us'))
  const answer = await ask(adminSocket, ['show info'])
  if (answer.is !== 'answered') throw new Error('the router does not answer')
  return Number(/^Pid: (\d+)$/m.exec(answer.text)?.[1])
}

/** What a process has used so far, all its threads; microseconds. */
function cpuTimeOf(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`)
  const used = tasks.map((task) =>
    Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]),
  )
  return used.reduce((sum, it) => sum + it, 0) / 1000
}

/** wrk with one thread and 64 connections, on the proxy of that pid. */
async function load(url: string, pid: number): Promise<Throughput> {
  // The app's name is for HAProxy; this machine's resolver may not know that it is local.
  const { host, port } = new URL(url)
  const options = {
    '--threads': '1',
    '--connections': '64',
    '--duration': `${SECONDS}s`,
    '--header': `Host: ${host}`,
  }
  const args = [
    ...Object.entries(options).flat(),
    '--latency',
    `http://127.0.0.1:${port}/`,
  ]
  const before = cpuTimeOf(pid)
  const { stdout } = await run('wrk', args)
  const used = cpuTimeOf(pid) - before
  const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1])
  const [, amount, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout) ?? []
  const milliseconds = { us: 0.001, ms: 1, s: 1000 }[unit ?? 'ms'] ?? 1
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1])
  return { perSecond, p99: Number(amount) * milliseconds, cpu: used / requests }
}
