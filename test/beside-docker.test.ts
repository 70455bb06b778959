/**
 * Mayfly's table beside those of a Docker daemon, in a network namespace that stands for the machine:
 * `docker.rules` is what `iptables-save` printed with Docker 20.10 and a container that publishes a port.
 */

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { runProgram } from '../src/lib/run-program.ts'
import { NOTHING_ALLOWED } from '../src/model/allowances.ts'
import { hardwareAddressOf } from '../src/runtime/local/address.ts'
import {
  type FirewallFacts,
  firewallRules,
  noFirewall,
} from '../src/runtime/local/firewall.ts'
import { machineNames } from '../src/runtime/local/machine-names.ts'
import { noteInstallation } from './note-installation.ts'
import { until } from './until.ts'

const root = join(import.meta.dirname, '..')
const installation = randomBytes(3).toString('hex')
noteInstallation(installation)
const { bridge, firewallTable: table } = machineNames(installation, 'us')
const DYNO = '172.16.64.2'
const facts: FirewallFacts = {
  table,
  bridge,
  subnet: '172.16.64.0/18',
  reachedBy: [0],
  gateway: '172.16.64.1',
  allowances: NOTHING_ALLOWED,
}

/** Network namespaces. `stranger`: of the machine's other networks, not Docker's and not ours. */
const [machine, dyno, container, outside, stranger] = [
  'machine',
  'dyno',
  'container',
  'outside',
  'stranger',
].map((who) => `mf${installation}-${who}`) as [string, string, string, string, string]
const OUTSIDE = { host: '203.0.113.2', port: 443 }
const CONTAINER = { host: '172.17.0.2', port: 80 }
/** The container's, by the machine. */
const PUBLISHED = { host: '203.0.113.1', port: 8080 }
const servers: ChildProcess[] = []

before(async () => {
  for (const it of [machine, dyno, container, outside, stranger]) {
    await runProgram(['ip', 'netns', 'add', it])
  }
  await inside(machine, ['ip', '-batch', '-'], links())
  for (const [it, address, gateway] of [
    [dyno, `${DYNO}/18`, '172.16.64.1'],
    [container, `${CONTAINER.host}/16`, '172.17.0.1'],
    [outside, `${OUTSIDE.host}/30`, '203.0.113.1'],
    [stranger, '198.51.100.2/30', '198.51.100.1'],
  ] as const) {
    await inside(
      it,
      ['ip', '-batch', '-'],
      `addr add ${address} dev eth0\nlink set eth0 up\nroute add default via ${gateway}\n`,
    )
  }
  await inside(machine, ['sysctl', '-qw', 'net.ipv4.ip_forward=1'])
  const rules = readFileSync(join(import.meta.dirname, 'docker.rules'), 'utf8')
  await inside(machine, ['iptables-nft-restore'], rules)
  await Promise.all([serve(outside, OUTSIDE.port), serve(container, CONTAINER.port)])
})

after(async () => {
  for (const server of servers) server.kill('SIGKILL')
  for (const it of [machine, dyno, container, outside, stranger]) {
    await runProgram(['ip', 'netns', 'del', it])
  }
})

test('Docker`s tables stay byte for byte as they were, whatever becomes of ours', async () => {
  const original = await dockers()
  assert.match(original, /chain DOCKER-ISOLATION-STAGE-2 {/)
  const networks = ['10.1.0.0/16', '172.17.0.0/16']
  const allowances = { ...NOTHING_ALLOWED, networks, mail: true }
  for (const input of [
    firewallRules(facts),
    firewallRules(facts),
    firewallRules({ ...facts, allowances }),
    firewallRules({ ...facts, reachedBy: [0, 106] }),
    noFirewall(table),
    firewallRules(facts),
  ]) {
    await inside(machine, ['nft', '-f', '-'], input)
    assert.equal(await dockers(), original)
  }
  assert.match(await inside(machine, ['nft', 'list', 'tables']), new RegExp(table))
})

test('by doctor`s advice a dyno reaches outside, and Docker`s walls stand', async () => {
  assert.ok(!(await reaches(dyno, OUTSIDE, 1)), 'Docker drops what it does not know')
  const advice = await doctor()
  const commands = [...advice.matchAll(/`(iptables [^`]*)`/g)].map((it) => it[1] ?? '')
  assert.equal(commands.length, 2, advice)
  for (const command of commands) await inside(machine, command.split(' '))
  assert.equal(await doctor(), '')

  const tries = [
    [dyno, OUTSIDE, true],
    [container, OUTSIDE, true],
    [outside, PUBLISHED, true],
    [stranger, OUTSIDE, false],
    [stranger, CONTAINER, true],
    [stranger, { ...CONTAINER, port: 81 }, false],
    [dyno, CONTAINER, false],
    [dyno, PUBLISHED, false],
    [container, { host: DYNO, port: 80 }, false],
    [outside, { host: DYNO, port: 80 }, false],
  ] as const
  const came = await Promise.all(
    tries.map(([from, to, wanted]) => reaches(from, to, wanted ? 10 : 1)),
  )
  assert.deepEqual(
    tries.map(([from, to], n) => [from, to, came[n]]),
    tries,
  )
})

/** Both of Docker's tables, with their counters. */
async function dockers(): Promise<string> {
  const list = 'nft list table ip filter; nft list table ip nat'
  return inside(machine, ['sh', '-ec', list])
}

/** What it says of Docker. */
async function doctor(): Promise<string> {
  const command = [process.execPath, join(root, 'bin', 'mayfly.ts'), 'doctor']
  const said = await inside(machine, ['sh', '-c', '"$@" || true', 'sh', ...command])
  return said.split('\n').find((it) => it.includes('Docker')) ?? ''
}

/** Whether anybody answers there within so many seconds, even to refuse. */
async function reaches(
  from: string,
  { host, port }: { readonly host: string; readonly port: number },
  within: number,
): Promise<boolean> {
  const target = `TCP:${host}:${port},connect-timeout=${within}`
  return inside(from, ['socat', '-u', 'OPEN:/dev/null', target]).then(
    () => true,
    (error: Error) => /refused/.test(error.message),
  )
}

async function serve(where: string, port: number): Promise<void> {
  const listen = `TCP-LISTEN:${port},fork,reuseaddr`
  const socat = ['socat', listen, 'EXEC:true']
  servers.push(spawn('nsenter', [...entering(where), ...socat], { stdio: 'ignore' }))
  await until(`port ${port} is open`, async () =>
    (await inside(where, ['ss', '-Htln'])).includes(`:${port} `),
  )
}

function links(): string {
  const peers = [
    ['mfdyno', dyno, bridge],
    ['container', container, 'docker0'],
    ['outside', outside, ''],
    ['stranger', stranger, ''],
  ]
  return `link set lo up
link add ${bridge} type bridge
addr add 172.16.64.1/18 dev ${bridge}
link set ${bridge} up
link add docker0 type bridge
addr add 172.17.0.1/16 dev docker0
link set docker0 up
${peers
  .map(
    ([link, its, master]) =>
      `link add ${link} type veth peer name eth0 netns ${its}${
        its === dyno ? ` address ${hardwareAddressOf(DYNO)}` : ''
      }\nlink set ${link} ${master ? `master ${master} ` : ''}up`,
  )
  .join('\n')}
addr add 203.0.113.1/30 dev outside
addr add 198.51.100.1/30 dev stranger
`
}

function inside(
  where: string,
  command: readonly string[],
  input?: string,
): Promise<string> {
  const given = input === undefined ? {} : { input }
  return runProgram(['nsenter', ...entering(where), ...command], given)
}

/** Not `ip netns exec`, which covers /sys, and the cgroups below it. */
function entering(where: string): string[] {
  return [`--net=/run/netns/${where}`, '--']
}
