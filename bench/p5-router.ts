/**
 * P5: the router beside a hand-written HAProxy configuration with the same log line, both
 * in front of the same dyno, in turn, by wrk. The line is the same for `logs`, too, which reads it
 * on the same processors and puts it into the app's log. A machine's speed changes from second to second where
 * others use it, too: so the two are compared in short turns, each with the one beside it.
 */

import { ask } from '../src/router/haproxy-socket.ts'
import { routerPaths } from '../src/router/router-paths.ts'
import { type Figure, median } from './figure.ts'
import type { Bench } from './installation.ts'
import { oneWebDyno, startPeer, type WebDyno } from './peer-proxy.ts'
import { load, type Throughput } from './wrk.ts'

/** Of two turns each, either of them first in half of them. */
const PAIRS = 20
const TURN_SECONDS = 2

export async function p5Router(bench: Bench): Promise<Figure[]> {
  const dyno = await oneWebDyno(bench)
  const log = bench.installation.data.recordSocket
  const peer = await startPeer('haproxy.cfg', (port) => handWritten(port, dyno, log), [
    'haproxy',
    '-db',
    '-f',
  ])
  const worker = await workerOf(bench)
  const ours: Throughput[] = []
  const theirs: Throughput[] = []
  try {
    const url = bench.installation.url('tiny')
    const turns = [
      async () => ours.push(await load(url, worker, TURN_SECONDS)),
      async () => theirs.push(await load(peer.url, peer.pid, TURN_SECONDS)),
    ]
    for (let pair = 0; pair < PAIRS; pair++) {
      for (const turn of turns) await turn()
      turns.reverse()
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

/** The median of the pairs'. */
function ratio(
  ours: readonly Throughput[],
  theirs: readonly Throughput[],
  what: (it: Throughput) => number,
): number {
  return median(ours.map((it, pair) => what(it) / what(theirs[pair] ?? it)))
}

function handWritten(port: number, { app, id, address }: WebDyno, log: string): string {
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
  log-format '%[date(0,us)] ${app} %TR %Tw %Tc %Ta %ST %B %[capture.res.hdr(0)] %ts - %[fc_http_major] http %sslv method=%HM request_id=%ID dyno=%s src=%ci agent="" host=%{+Q,+E}[capture.req.hdr(0)] fwd="" path=%{+Q}HU'
  capture request header host len 256
  capture response header Content-Length len 20
  unique-id-format %[uuid]
  unique-id-header X-Request-Id
  option forwardfor
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Request-Start %[date(0,ms)]
  default_backend dyno
backend dyno
  http-reuse safe
  server web.1:${id} ${address}
`
}

/** The pid of the router's HAProxy that serves. */
async function workerOf({ installation }: Bench): Promise<number> {
  const { adminSocket } = routerPaths(installation.data.router('us'))
  const answer = await ask(adminSocket, ['show info'])
  if (answer.is !== 'answered') throw new Error('the router does not answer')
  return Number(/^Pid: (\d+)$/m.exec(answer.text)?.[1])
}
