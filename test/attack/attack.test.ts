/**
 * A hostile dyno. `attacker.py` runs inside one, beside a neighbour, and tries what no dyno
 * may; each attempt is a row of the table this prints, with what was expected of it.
 */

import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { dirname, join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'

import { buildDyno } from '../../src/builds/build-dyno.ts'
import { SECOND } from '../../src/lib/clock.ts'
import { type Allowances, NOTHING_ALLOWED } from '../../src/model/allowances.ts'
import type { Build } from '../../src/model/build.ts'
import { type DynoId, newId } from '../../src/model/ids.ts'
import { OCI_RUNTIMES, type OciRuntimeName } from '../../src/model/oci-runtimes.ts'
import { beginMonitor } from '../../src/runtime/local/begin-monitor.ts'
import { regionFiles } from '../../src/runtime/local/dyno-files.ts'
import { hardwareAddressOf } from '../../src/runtime/local/address.ts'
import { presentCgroups, TCP_LIMIT } from '../../src/runtime/local/cgroups.ts'
import { machineNames } from '../../src/runtime/local/machine-names.ts'
import { processStatus } from '../../src/runtime/local/process-status.ts'
import { runProgram } from '../../src/runtime/local/run-program.ts'
import { LocalRuntime } from '../../src/runtime/local/local-runtime.ts'
import { aDynoSpec, until } from '../../src/runtime/runtime-contract.ts'
import type { DynoSpec, DynoStatus } from '../../src/runtime/runtime.ts'
import { aLocalMachine } from '../a-local-machine.ts'
import { aNameServer, aResolver } from '../a-resolver.ts'
import { anInternet, STREAM, UDP_PORTS } from './an-internet.ts'
import { assertHeld, type Row, rowOf, rowsIn } from './rows.ts'

const PORT = 5000
const SLUG = 'attacker'
/** Cgroups of version 2 count it as memory. */
const COUNTED_APART = {
  skip: !existsSync(join(presentCgroups().hierarchies.get('memory') ?? '', TCP_LIMIT)),
}
const SERVES = { command: `python3 -m http.server ${PORT}` }
/** Writes before it answers. */
const NEIGHBOUR = { command: 'python3 attacker.py neighbour', slug: SLUG }
const FORGER = join(import.meta.dirname, 'forger.pl')
/** Well above what a dyno may begin at once and hold. */
const FLOWS = 20_000
/** Bytes: conmon begins anew when its log is so full, and a little more. */
const LARGEST_LOG = 66 * 1024 ** 2
const { signal } = new AbortController()

const machine = await aLocalMachine()
const { options } = machine
let ociRuntime: OciRuntimeName = 'crun'
let allowances: Allowances = NOTHING_ALLOWED
const runtime = new LocalRuntime({
  ...options,
  ociRuntime: () => ociRuntime,
  allowances: () => allowances,
})
/** Another region, or another installation, of the same machine. */
const elsewhere = await aLocalMachine()
const runtimeElsewhere = new LocalRuntime(elsewhere.options)
const internet = await anInternet()
const host = createServer((socket) => socket.end('the host'))
let hostPort = 0

before(async () => {
  await Promise.all([runtime.prepare(signal), runtimeElsewhere.prepare(signal)])
  const app = join(options.slugs, SLUG, 'app')
  await mkdir(app, { recursive: true })
  const program = await readFile(join(import.meta.dirname, 'attacker.py'))
  await writeFile(join(app, 'attacker.py'), program)
  hostPort = await listening(host)
  // The first dyno's filter is compiled for it; those of all others are what came of that.
  await attack('none')
})

// One that fails leaves dynos, whose addresses the next wants.
afterEach(async () => {
  for (const its of [runtime, runtimeElsewhere]) {
    for (const id of await its.list(signal)) await its.remove(id, signal)
  }
})

after(async () => {
  host.close()
  await internet.close()
  await Promise.all([machine.close(), elsewhere.close()])
})

for (const name of OCI_RUNTIMES) {
  // gVisor answers them all itself: none comes to this machine's kernel.
  if (name !== 'runsc') {
    test(`system calls that no dyno needs are refused: ${name}`, () =>
      madeBy(name, async () => assertHeld(await attack('system-calls'), 70)))
  }

  test(`a dyno finds nothing of the host, and may write only what is its own: ${name}`, () =>
    madeBy(name, findsNothing))

  test(`what a dyno may take ends at a limit, and its neighbour goes on: ${name}`, () =>
    madeBy(name, endsAtLimits))
}

async function findsNothing(): Promise<void> {
  const neighbour = await started(runtime, { address: machine.address(0) })
  const files = [
    options.root,
    join(options.dynos, neighbour, 'disk'),
    join(options.dynos, neighbour, 'config.json'),
    join(options.slugs, SLUG, 'app', 'attacker.py'),
    `/proc/${process.pid}/root/etc/passwd`,
    `/proc/${process.pid}/environ`,
    '/root/.bashrc',
    '/var/run/docker.sock',
    '/run/docker.sock',
    '/var/lib/postgresql',
    '/etc/ssh/ssh_host_rsa_key',
  ]
  const rows = await attack('files', { FILES: JSON.stringify(files) })
  const its = ociRuntime === 'runsc' ? OF_GVISOR : []
  assertHeld(
    rows.filter(({ attempt }) => !its.includes(attempt)),
    80 - its.length,
  )
  assertHeld(await attack('processes'), 3)
  await runtime.remove(neighbour, signal)
}

test('a build dyno is held to the same walls, and finds nothing of other tenants', async () => {
  const theirs = [
    ['cache', newId<'app'>(), 'node_modules.tar'],
    ['builds', newId<'build'>(), 'source', 'env', 'SECRET'],
    ['builds', newId<'build'>(), 'build', 'app', 'index.js'],
    ['slugs', newId<'slug'>(), 'app', 'index.js'],
    ['sources', `${newId<'source'>()}.tar.gz`],
    ['repos', `${newId<'app'>()}.git`, 'HEAD'],
  ].map((path) => join(options.root, ...path))
  for (const path of theirs) {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, 'theirs')
  }
  const neighbour = await started(runtime, { address: machine.address(0) })
  const targets = [
    { name: 'a neighbour', host: machine.address(0), port: PORT },
    { name: 'the host by its gateway', host: machine.address(-1), port: hostPort },
    { name: 'mail on the internet', host: internet.there, port: 25 },
    { name: 'https on the internet', host: internet.there, port: 443, reachable: true },
  ].map((it) => ({ reachable: false, ...it }))
  const knows = {
    FILES: JSON.stringify([...theirs, ...theirs.map(dirname), ...OF_BUILDS]),
    TARGETS: JSON.stringify(targets),
    FOREIGN: JSON.stringify([machine.address(0)]),
  }
  for (const [group, atLeast] of [
    ['files', 70],
    ['network', 7],
    ['system-calls', 70],
  ] as const) {
    assertHeld(await attackFromBuild(group, knows), atLeast)
  }
  for (const path of theirs) assert.equal(await readFile(path, 'utf8'), 'theirs')
  await runtime.remove(neighbour, signal)
})

test('root of a dyno`s own user namespace may no more', async () => {
  const files = [options.root, '/root/.bashrc', `/proc/${process.pid}/environ`]
  for (const group of ['system-calls', 'files', 'processes']) {
    const rows = await attackAsRoot(group, { FILES: JSON.stringify(files) })
    assertHeld(rows, group === 'processes' ? 3 : 40)
  }
})

test('a dyno reaches the internet, its resolvers, and nothing else', async () => {
  const [neighbour, stranger] = await Promise.all([
    started(runtime, { address: machine.address(0) }),
    started(runtimeElsewhere, { address: elsewhere.address(0) }),
  ])
  const gateway = machine.address(-1)
  const targets = [
    { name: 'a neighbour', host: machine.address(0), port: PORT },
    { name: 'a dyno of another region', host: elsewhere.address(0), port: PORT },
    { name: 'the host by its gateway', host: gateway, port: hostPort },
    { name: 'the host by another gateway', host: elsewhere.address(-1), port: hostPort },
    { name: 'the host by its public address', host: internet.here, port: hostPort },
    { name: 'the metadata address', host: '169.254.169.254', port: 80 },
    { name: 'the metadata address of containers', host: '169.254.170.2', port: 80 },
    { name: 'a private network (10/8)', host: '10.0.0.1', port: 80 },
    { name: 'a private network (192.168/16)', host: '192.168.0.1', port: 80 },
    { name: 'a carrier network', host: '100.64.0.1', port: 80 },
    { name: 'somebody of a private network', host: internet.inside, port: 443 },
    { name: 'mail on the internet', host: internet.there, port: 25 },
  ].map((it) => ({ ...it, reachable: false }))
  const web = {
    name: 'https on the internet',
    host: internet.there,
    port: 443,
    reachable: true,
  }
  const knows = {
    TARGETS: JSON.stringify([...targets, web]),
    FOREIGN: JSON.stringify([machine.address(0), gateway, internet.there]),
  }
  assertHeld(await attack('network', knows), 15)
  assertHeld(await attackAsRoot('network', knows), 15)
  await runtime.remove(neighbour, signal)
  await runtimeElsewhere.remove(stranger, signal)
})

test('a dyno is told public names by its own region`s resolver, and nothing else by anybody', async () => {
  const records = ['www.example/93.184.216.34', 'db.corp.example/10.1.2.3']
  const its = [
    ...[...records, 'metadata.example/169.254.169.254'].map((it) => `address=/${it}`),
    // HTTPS, with a hint: 10.1.2.3.
    'dns-rr=hint.example,65,000100000400040a010203',
    'ptr-record=3.2.1.10.in-addr.arpa,db.corp.example',
    'ptr-record=1.0.64.100.in-addr.arpa,carrier.example',
  ]
  const server = await aNameServer(its)
  const ofTheHost = await aNameServer(its, internet.here)
  const resolvConf = join(options.root, 'resolv.conf')
  await writeFile(resolvConf, `nameserver ${server.address}\n`)
  const [own, other] = [options, elsewhere.options].map((it) => ({ ...it, resolvConf }))
  assert.ok(own && other)
  await Promise.all([own, other].map((it) => new LocalRuntime(it).prepare(signal)))
  const resolvers = await Promise.all([own, other].map((it) => aResolver(it)))
  try {
    for (const it of resolvers) await until(it.isReady)
    const rows = await attack('names', { QUESTIONS: JSON.stringify(questions()) })
    assertHeld(rows, 2 * 12)
    assert.doesNotMatch(server.asked(), /version\.bind|in-addr\.arpa/)
  } finally {
    await Promise.all([...resolvers, server, ofTheHost].map((it) => it.close()))
  }
})

/** By both protocols. */
function questions() {
  const [A, PTR, TXT, HTTPS, IN, CHAOS] = [1, 12, 16, 65, 1, 3]
  const server = machine.address(-1)
  const [at, its] = [
    { server, type: A, class: IN },
    { server, class: CHAOS },
  ]
  const all = [
    { ...at, what: 'a public name', name: 'www.example', answer: true },
    { ...at, what: 'a name of a private network', name: 'db.corp.example' },
    { ...at, what: 'a name of the metadata address', name: 'metadata.example' },
    { ...at, what: 'a private address in a hint', name: 'hint.example', type: HTTPS },
    { ...at, what: 'a private address`s name', name: '3.2.1.10.in-addr.arpa', type: PTR },
    { ...at, what: 'a carrier`s', name: '1.0.64.100.in-addr.arpa', type: PTR },
    { ...at, what: 'the gateway`s', name: reverse(server), type: PTR },
    { ...its, what: 'which program it is', name: 'version.bind', type: TXT },
    { ...its, what: 'which machine it is', name: 'hostname.bind', type: TXT },
    { ...its, what: 'which machine it is', name: 'id.server', type: TXT },
    {
      ...at,
      what: 'another gateway',
      name: 'www.example',
      server: elsewhere.address(-1),
    },
    { ...at, what: 'the host`s own', name: 'www.example', server: internet.here },
  ].map((it) => ({ answer: false, ...it }))
  return ['udp', 'tcp'].flatMap((by) => all.map((it) => ({ ...it, by })))
}

const reverse = (address: string) =>
  `${address.split('.').toReversed().join('.')}.in-addr.arpa`

test('a dyno reaches what the operator allows, and of the host nothing more', async () => {
  const { here, there, inside } = internet
  allowances = { networks: [`${machine.address(-1)}/16`, inside], mail: true }
  await runtime.prepare(signal)
  const targets = [
    { name: 'somebody of a private network', host: inside, port: 443, reachable: true },
    { name: 'mail on the internet', host: there, port: 25, reachable: true },
    { name: 'the host by its gateway', host: machine.address(-1), port: hostPort },
    { name: 'the host by its public address', host: here, port: hostPort },
  ].map((it) => ({ reachable: false, ...it }))
  const knows = { TARGETS: JSON.stringify(targets), FOREIGN: JSON.stringify([there]) }
  assertHeld(await attack('network', knows), targets.length)
  allowances = NOTHING_ALLOWED
  await runtime.prepare(signal)
})

test('what is no longer allowed ends at once, established or not', async () => {
  const { there, inside } = internet
  allowances = { networks: [inside], mail: true }
  await runtime.prepare(signal)
  const targets = [
    { name: 'mail', host: there, port: 25, by: 'echo' },
    { name: 'a private network', host: inside, port: 443, by: 'echo' },
    { name: 'a stream from there', host: inside, port: STREAM, by: 'stream' },
    { name: 'https', host: there, port: 443, by: 'echo', reachable: true },
  ].map((it) => ({ reachable: false, ...it }))
  const dyno = await begun('kept-flows', { TARGETS: JSON.stringify(targets) })
  const told = async () => rowsIn((await runtime.output(dyno, 0, signal)).text)
  await until(async () => (await told()).length === targets.length)
  allowances = NOTHING_ALLOWED
  await runtime.prepare(signal)
  assertHeld(await rowsOf(dyno), 2 * targets.length)
})

test('a dyno speaks in nobody else`s name, even if it could send what it likes', async () => {
  const [neighbour, liar] = await Promise.all([
    started(runtime, { address: machine.address(0) }),
    started(runtime, { address: machine.address(1) }),
  ])
  const pid = await pidOf(liar)
  const forge = (...args: readonly string[]) =>
    runProgram('nsenter', ['--target', pid, '--net', 'perl', FORGER, ...args])
  const [own, theirs] = [machine.address(1), machine.address(0)]
  const [ownMac, theirMac] = [hardwareAddressOf(own), hardwareAddressOf(theirs)]
  const bridge = machineNames(options.installation, options.region).bridge
  const gateway = (await readFile(`/sys/class/net/${bridge}/address`, 'utf8')).trim()
  const known = async () =>
    (await runProgram('ip', ['neigh', 'show', theirs, 'dev', bridge])).split(' ')[2]
  const answers = () =>
    runtime.probe(neighbour, { path: '/', timeout: 5 * SECOND }, signal)
  assert.equal(await answers(), 200)
  assert.equal(await known(), theirMac)

  const [honest, byAddress, byHardware] = UDP_PORTS
  await forge('udp', ownMac, gateway, theirs, internet.there, String(byAddress))
  await forge('udp', theirMac, gateway, own, internet.there, String(byHardware))
  // That the neighbour is where the liar is: to the host, in its own name and in the neighbour's.
  await forge('arp', ownMac, ownMac, theirs, machine.address(-1))
  await forge('arp', theirMac, ownMac, theirs, machine.address(-1))
  await forge('udp', ownMac, gateway, own, internet.there, String(honest))
  await until(async () => internet.heard().has(honest))
  assertHeld(
    [
      ['an address of another dyno`s', !internet.heard().has(byAddress)],
      ['a hardware address of another dyno`s', !internet.heard().has(byHardware)],
      ['ARP for another dyno`s address', (await known()) === theirMac],
      ['the neighbour is reached', (await answers()) === 200],
    ].map(([attempt, held]) => ({
      group: 'forged',
      attempt: String(attempt),
      expected: 'as without it',
      result: held === true ? 'as without it' : 'taken',
      held: held === true,
    })),
    4,
  )
  await Promise.all([neighbour, liar].map((it) => runtime.remove(it, signal)))
})

test('a dyno cannot fill the machine`s table of connections', async () => {
  const neighbour = await started(runtime, { address: machine.address(0) })
  const atFirst = await tracked(machine.address(5))
  assertHeld(await attack('flows', { THERE: internet.there, FLOWS: String(FLOWS) }), 1)
  const more = (await tracked(machine.address(5))) - atFirst
  console.log(`      ${FLOWS} flows begun, ${more} more connections in the table`)
  assert.ok(more > 500 && more < FLOWS / 2, `${more} more connections`)
  assert.equal(
    await runtime.probe(neighbour, { path: '/', timeout: 5 * SECOND }, signal),
    200,
  )
  await runtime.remove(neighbour, signal)
})

test('a dyno cannot fill the machine`s table of neighbours', async () => {
  const dyno = await begun('ask-for-neighbours wait')
  const first = neighbours()
  const told = async () => rowsIn((await runtime.output(dyno, 0, signal)).text)
  await until(async () => (await told()).length === 1)
  const more = neighbours() - first
  const table = rowOf('the machine`s table', 'at most 50 more', more, more <= 50)
  assertHeld([...(await told()), { ...table, group: 'neighbours' }], 2)
  await runtime.remove(dyno, signal)
})

for (const name of ['crun', 'runc'] as const) {
  test(`what a dyno holds in TCP ends at a limit: ${name}`, COUNTED_APART, () =>
    madeBy(name, async () => assertHeld(await attack('hold-in-sockets'), 1)),
  )
}

test('what a dyno writes ends with its disk, in bytes and in files', async () => {
  const neighbour = await started(runtime, { address: machine.address(0) }, NEIGHBOUR)
  const greedy = await begun('fill-disk')
  await endOf(greedy)
  const { text } = await runtime.output(greedy, 0, signal)
  const answer = await runtime.probe(
    neighbour,
    { path: '/', timeout: 5 * SECOND },
    signal,
  )
  const writes = rowOf('the neighbour writes', '200', answer, answer === 200)
  assertHeld([...rowsIn(text), writes], 8)
  for (const it of [greedy, neighbour]) await runtime.remove(it, signal)
})

test('a dyno takes no more of the processors than its share', async () => {
  const spinning = [await begun('spin', {}, 1), await begun('spin-much', {}, 2)]
  const neighbour = await started(runtime, { address: machine.address(0) }, NEIGHBOUR)
  // Of the same size, and both would take all, the second by eight times as many processes.
  // It would have eight times as much, were they not weighed; on a busy machine the weights are not exact.
  const first = spinning.map(processorTime)
  await until(() => total(spinning.map(processorTime)) - total(first) > SECOND)
  const [modest = 0, greedy = 0] = spinning.map(
    (it, n) => processorTime(it) - (first[n] ?? 0),
  )
  const ratio = greedy / modest
  const answer = await runtime.probe(
    neighbour,
    { path: '/', timeout: 5 * SECOND },
    signal,
  )
  assertHeld(
    [
      rowOf(
        'processor, against one of its size',
        'at most 4 ×',
        `${ratio.toFixed(2)} ×`,
        ratio <= 4,
      ),
      rowOf('the neighbour answers', '200', answer, answer === 200),
    ],
    2,
  )
  for (const it of [...spinning, neighbour]) await runtime.remove(it, signal)
})

async function endsAtLimits(): Promise<void> {
  const neighbour = await started(runtime, { address: machine.address(0) })
  const answers = () =>
    runtime.probe(neighbour, { path: '/', timeout: 5 * SECOND }, signal)

  const rows = await attack('bombs')
  // A bomb of processes takes gVisor itself with it, and so the dyno, before it can say anything.
  assertHeld(rows, ociRuntime === 'runsc' ? 0 : 8)
  assert.equal(await answers(), 200)

  const hungry = await begun('memory-bomb')
  const end = await endOf(hungry)
  assert.equal(end.outOfMemory, true)
  // With gVisor it is gVisor that the kernel kills, and newer ones say themselves how the dyno ended.
  if (ociRuntime !== 'runsc') assert.equal(end.status, 137)
  await runtime.remove(hungry, signal)
  assert.equal(await answers(), 200)

  const loud = await begun('log-bomb')
  await endOf(loud)
  const files = regionFiles(options.dynos).of(loud)
  const written = [files.log, files.spareLog].map((file) => sizeOf(file))
  assert.ok(
    written.every((bytes) => bytes <= LARGEST_LOG),
    `its logs have ${written.join(' and ')} bytes`,
  )
  await runtime.remove(loud, signal)
  assert.equal(await answers(), 200)
  await runtime.remove(neighbour, signal)
}

/** Files that gVisor has in place of the machine's, how it mounts them, and its names for standard input and output. */
const OF_GVISOR = [
  ...['bus', 'fs', 'irq', 'sys', 'sysrq-trigger'].map((it) => `change /proc/${it}`),
  'mount options of /proc',
  'write /proc/1/oom_score_adj',
  'write /proc/self/oom_score_adj',
  'find descriptors left open',
]

/** Containers are made by that OCI runtime meanwhile. */
async function madeBy(name: OciRuntimeName, work: () => Promise<void>): Promise<void> {
  ociRuntime = name
  try {
    await work()
  } finally {
    ociRuntime = 'crun'
  }
}

/** Of a namespace, all that there is to be had. */
const CAPABILITIES =
  `audit_control chown dac_override dac_read_search fowner fsetid ipc_owner kill mac_admin mknod net_admin
  net_bind_service net_raw setfcap setgid setuid sys_admin sys_chroot sys_module sys_ptrace sys_rawio
  sys_resource sys_time syslog bpf perfmon checkpoint_restore`.split(/\s+/)

/** What such a root may: with what is its own dyno's. */
const OWN = [
  'write /proc/self/setgroups',
  'give a file to root',
  'become root',
  'take another group',
  'see processes of others',
  'CapPrm',
  'CapEff',
  'CapBnd',
]

/**
 * As root of the dyno's user namespace, with every capability in there. No program in a dyno becomes
 * that; if one did, the other walls would still stand.
 */
async function attackAsRoot(
  group: string,
  environment: Readonly<Record<string, string>>,
): Promise<Row[]> {
  const id = await begun('wait')
  const { hybridMount } = presentCgroups()
  const pid = Number(await pidOf(id))
  const network = { pid, ticks: processStatus(pid)?.ticks ?? 0 }
  const begin = beginMonitor({ cgroups: [], hybridMount, network })
  const state = regionFiles(options.dynos).stateOf('crun')
  const crun = ['crun', '--root', state, '--cgroup-manager=cgroupfs', 'exec']
  const who = ['--user', '0:0', '--no-new-privs', '--cwd', '/app']
  const can = CAPABILITIES.flatMap((it) => ['--cap', `CAP_${it.toUpperCase()}`])
  const knows = Object.entries({ PATH: '/usr/bin:/bin', ...environment }).flatMap(
    ([name, value]) => ['--env', `${name}=${value}`],
  )
  const attacks = [...who, ...can, ...knows, id, 'python3', 'attacker.py', group]
  const text = await runProgram('env', [...begin, ...crun, ...attacks])
  await runtime.remove(id, signal)
  return rowsIn(text).filter(({ attempt }) => !OWN.includes(attempt))
}

/** Where they would be, were a volume of a build dyno more than its own. */
const OF_BUILDS = ['/cache/..', '/build/..', '/source/..'].flatMap((it) =>
  ['builds', 'sources', 'repos', 'slugs', 'dynos'].map((name) => `${it}/${name}`),
)

async function attackFromBuild(
  group: string,
  environment: Readonly<Record<string, string>>,
): Promise<Row[]> {
  const its = { id: newId<'build'>(), app: newId<'app'>(), stack: 'debian-12' }
  const facts = { ...its, source: newId<'source'>(), sourceUrl: '', sourceVersion: null }
  const spec = buildDyno({
    build: { ...facts, sourceChecksum: null } as unknown as Build,
    address: machine.address(5),
    builtIns: 'buildpacks',
    buildpacks: [],
    environment,
  })
  const given = join(options.root, 'builds', its.id, 'source')
  await mkdir(given, { recursive: true })
  await mkdir(join(options.root, 'buildpacks'), { recursive: true })
  await copyFile(
    join(options.slugs, SLUG, 'app', 'attacker.py'),
    join(given, 'attacker.py'),
  )
  const command = `exec python3 /source/attacker.py ${group}`
  await runtime.start({ ...spec, command }, signal)
  return rowsOf(spec.id)
}

async function attack(
  group: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Row[]> {
  return rowsOf(await begun(group, environment))
}

/** What it has said by its end. */
async function rowsOf(id: DynoId): Promise<Row[]> {
  await endOf(id)
  const { text } = await runtime.output(id, 0, signal)
  await runtime.remove(id, signal)
  return rowsIn(text)
}

async function begun(
  group: string,
  environment: Readonly<Record<string, string>> = {},
  place = 5,
): Promise<DynoId> {
  const spec = aDynoSpec({
    command: `python3 attacker.py ${group}`,
    address: machine.address(place),
    slug: SLUG,
  })
  const all = { ...spec.environment, ...environment }
  await runtime.start({ ...spec, environment: all }, signal)
  return spec.id
}

/** Milliseconds that it has had of all processors. */
function processorTime(id: DynoId): number {
  const { version, hierarchies } = presentCgroups()
  const its = `${machineNames(options.installation, options.region).cgroup}/${id}`
  const text = (hierarchy: string, file: string) =>
    readFileSync(join(hierarchies.get(hierarchy) ?? '', its, file), 'utf8')
  if (version === 1) return Number(text('cpuacct', 'cpuacct.usage')) / 1e6
  return Number(/^usage_usec (\d+)/m.exec(text('unified', 'cpu.stat'))?.[1]) / 1e3
}

/** Of all network namespaces together. */
function neighbours(): number {
  const [, line = ''] = readFileSync('/proc/net/stat/arp_cache', 'utf8').split('\n')
  return Number.parseInt(line, 16)
}

function total(figures: readonly number[]): number {
  return figures.reduce((sum, it) => sum + it, 0)
}

/** Connections of a dyno's in the machine's table, or where the kernel lists none, of all. */
async function tracked(address: string): Promise<number> {
  const all = '/proc/net/nf_conntrack'
  if (existsSync(all))
    return readFileSync(all, 'utf8').split(` src=${address} `).length - 1
  return Number(await readFile('/proc/sys/net/netfilter/nf_conntrack_count', 'utf8'))
}

async function pidOf(dyno: DynoId): Promise<string> {
  return (await readFile(regionFiles(options.dynos).of(dyno).pid, 'utf8')).trim()
}

async function endOf(id: DynoId): Promise<Extract<DynoStatus, { is: 'exited' }>> {
  let status: DynoStatus | undefined
  await until(async () => {
    status = (await runtime.status([id], signal)).get(id)
    return status?.is === 'exited'
  })
  assert.ok(status?.is === 'exited')
  return status
}

/** A dyno that listens. */
async function started(
  where: LocalRuntime,
  its: Pick<DynoSpec, 'address'>,
  does: Pick<DynoSpec, 'command' | 'slug'> = SERVES,
): Promise<DynoId> {
  const spec = { ...aDynoSpec({ ...its, ...does }), port: PORT }
  await where.start(spec, signal)
  await until(async () => {
    const status = (await where.status([spec.id], signal)).get(spec.id)
    return status?.is === 'running' && status.listening
  })
  return spec.id
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '0.0.0.0', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : 0)
    })
  })
}

function sizeOf(file: string): number {
  return existsSync(file) ? statSync(file).size : 0
}
