/**
 * A hostile dyno, and what stands around it: `attacker.py` runs inside one and tries what no
 * dyno may; each attempt is a row of the table that is printed, with what was expected of it.
 */

import { cp, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { after, afterEach, before } from 'node:test'

import { SECOND } from '../../src/lib/clock.ts'
import { runProgram } from '../../src/lib/run-program.ts'
import { type Allowances, NOTHING_ALLOWED } from '../../src/model/allowances.ts'
import type { DynoId } from '../../src/model/ids.ts'
import { OPEN_FILES } from '../../src/model/size.ts'
import type { OciRuntimeName } from '../../src/model/oci-runtimes.ts'
import { beginMonitor } from '../../src/runtime/local/begin-monitor.ts'
import { presentCgroups } from '../../src/lib/cgroup-mounts.ts'
import { type DynoFiles, regionFiles } from '../../src/runtime/local/dyno-files.ts'
import { LocalRuntime } from '../../src/runtime/local/local-runtime.ts'
import { processStatus } from '../../src/runtime/local/process-status.ts'
import type { LocalRuntimeOptions } from '../../src/runtime/local/region.ts'
import type { DynoSpec, DynoStatus } from '../../src/runtime/runtime.ts'
import { aDynoSpec } from '../a-dyno-spec.ts'
import { aLocalMachine } from '../a-local-machine.ts'
import { until, untilSeen } from '../until.ts'
import { anInternet, type Internet } from './an-internet.ts'
import { type Row, rowsIn } from './rows.ts'

export const PORT = 5000
const SLUG = 'attacker'
const SERVES = { command: `python3 -m http.server ${PORT}` }
/** Writes before it answers. */
export const NEIGHBOUR = { command: 'python3 attacker.py neighbour', slug: SLUG }
/** Where the attacker is, counted from the region's first address for a dyno; others have those below. */
export const ITS_PLACE = 5
const { signal } = new AbortController()

/** What the program is told, as its environment. */
export type Knows = Readonly<Record<string, string>>

export interface Region {
  readonly options: LocalRuntimeOptions
  readonly runtime: LocalRuntime
  /** The nth address for a dyno, n from 0. */
  address(n: number): string
  /** A dyno that listens at the nth, and does so for long. */
  neighbour(n: number, does?: Pick<DynoSpec, 'command' | 'slug'>): Promise<DynoId>
  /** The status of what that dyno answers. */
  answerOf(dyno: DynoId): Promise<number | undefined>
  remove(...dynos: readonly DynoId[]): Promise<void>
}

export interface Attack extends Region {
  /** `attacker.py`, on the host; what it imports lies beside it. */
  readonly program: string
  /** What it says of that group, by its end. */
  rows(group: string, knows?: Knows, place?: number): Promise<Row[]>
  /**
   * The same as root of the dyno's user namespace, with every capability in there. No program in a dyno
   * becomes that; if one did, the other walls would still stand.
   */
  rowsOfRoot(group: string, knows?: Knows): Promise<Row[]>
  /** Begins it, and leaves it to go on. */
  begin(group: string, knows?: Knows, place?: number): Promise<DynoId>
  /** What it has said so far. */
  saidBy(dyno: DynoId): Promise<Row[]>
  /** What it has said by its end; then it is removed. */
  rowsOf(dyno: DynoId): Promise<Row[]>
  endOf(dyno: DynoId): Promise<Extract<DynoStatus, { is: 'exited' }>>
  filesOf(dyno: DynoId): DynoFiles
  /** The first process of the dyno, as the host has it. */
  pidOf(dyno: DynoId): Promise<number>
  /** Containers are made by that OCI runtime meanwhile. */
  madeBy(name: OciRuntimeName, work: () => Promise<void>): Promise<void>
  /** Which OCI runtime makes them. */
  ociRuntime(): OciRuntimeName
  /** As if the operator had allowed that. */
  allow(allowances: Allowances): Promise<void>
}

/** Ready before a file's first test, gone after its last; between two of them no dyno is left. */
export async function anAttack(): Promise<Attack> {
  const machine = await aLocalMachine()
  const { options } = machine
  let ociRuntime: OciRuntimeName = 'crun'
  let allowances: Allowances = NOTHING_ALLOWED
  const runtime = new LocalRuntime({
    ...options,
    ociRuntime: () => ociRuntime,
    allowances: () => allowances,
  })
  const region = regionOf(machine, runtime, bringProgram)
  const files = regionFiles(options.dynos)
  const program = join(options.slugs, SLUG, 'app', 'attacker.py')

  const attack: Attack = {
    ...region,
    program,
    async rows(group, knows, place) {
      return attack.rowsOf(await attack.begin(group, knows, place))
    },
    async rowsOfRoot(group, knows = {}) {
      const id = await attack.begin('wait')
      const pid = await attack.pidOf(id)
      const text = await runProgram([
        'env',
        ...inNetworkOf(pid),
        ...asRootIn(id, files.stateOf('crun'), { PATH: '/usr/bin:/bin', ...knows }),
        'python3',
        'attacker.py',
        group,
      ])
      await runtime.remove(id, signal)
      return rowsIn(text).filter(({ attempt }) => !OF_ROOT.includes(attempt))
    },
    async begin(group, knows = {}, place = ITS_PLACE) {
      const spec = aDynoSpec({
        command: `python3 attacker.py ${group}`,
        address: machine.address(place),
        slug: SLUG,
      })
      const environment = { ...spec.environment, ...knows }
      await runtime.start({ ...spec, environment }, signal)
      return spec.id
    },
    async saidBy(dyno) {
      let said = ''
      for (let at = 0; ;) {
        const { text, offset } = await runtime.output(dyno, at, signal)
        if (offset === at) return rowsIn(said)
        said += text
        at = offset
      }
    },
    async rowsOf(dyno) {
      await attack.endOf(dyno)
      const said = await attack.saidBy(dyno)
      await runtime.remove(dyno, signal)
      return said
    },
    async endOf(dyno) {
      return untilSeen('it has ended', async () => {
        const status = (await runtime.status([dyno], signal)).get(dyno)
        return status?.is === 'exited' ? status : undefined
      })
    },
    filesOf: (dyno) => files.of(dyno),
    pidOf: async (dyno) => Number(await readFile(files.of(dyno).pid, 'utf8')),
    async madeBy(name, work) {
      ociRuntime = name
      try {
        await work()
      } finally {
        ociRuntime = 'crun'
      }
    },
    ociRuntime: () => ociRuntime,
    async allow(wanted) {
      allowances = wanted
      await runtime.prepare(signal)
    },
  }
  return attack

  async function bringProgram(): Promise<void> {
    await cp(join(import.meta.dirname, 'attacker'), dirname(program), { recursive: true })
    // The first dyno's filter is compiled for it; those of all others are what came of that.
    await attack.rows('none')
  }
}

/** Another region, or another installation, of the same machine; as an attack's own it is there for a file. */
export async function anotherRegion(): Promise<Region> {
  const machine = await aLocalMachine()
  return regionOf(machine, new LocalRuntime(machine.options))
}

export interface Outside {
  /** Set before the first test. */
  readonly internet: Internet
  /** Where something of the host listens, on all its addresses. */
  readonly hostPort: number
}

/** What a dyno may try to reach: an internet, and a program of the host. */
export async function anOutside(): Promise<Outside> {
  const internet = await anInternet()
  const host = createServer((socket) => socket.end('the host'))
  let hostPort = 0
  before(async () => {
    await new Promise<void>((resolve, reject) => {
      host.once('error', reject)
      host.listen(0, '0.0.0.0', resolve)
    })
    const address = host.address()
    hostPort = typeof address === 'object' && address ? address.port : 0
  })
  after(async () => {
    host.close()
    await internet.close()
  })
  return {
    internet,
    get hostPort() {
      return hostPort
    },
  }
}

function regionOf(
  { options, address, close }: Awaited<ReturnType<typeof aLocalMachine>>,
  runtime: LocalRuntime,
  prepareMore?: () => Promise<void>,
): Region {
  // In one: a file's hooks that come before its tests do not wait for one another.
  before(async () => {
    await runtime.prepare(signal)
    await prepareMore?.()
  })
  // A test that fails leaves dynos, whose addresses the next wants.
  afterEach(async () => {
    for (const id of await runtime.list(signal)) await runtime.remove(id, signal)
  })
  after(close)
  return {
    options,
    runtime,
    address,
    async neighbour(n, does = SERVES) {
      const spec = { ...aDynoSpec({ address: address(n), ...does }), port: PORT }
      await runtime.start(spec, signal)
      await until('it listens', async () => {
        const status = (await runtime.status([spec.id], signal)).get(spec.id)
        return status?.is === 'running' && status.listening
      })
      return spec.id
    },
    answerOf: (dyno) => runtime.probe(dyno, { path: '/', timeout: 5 * SECOND }, signal),
    async remove(...dynos) {
      for (const it of dynos) await runtime.remove(it, signal)
    },
  }
}

/** Of a namespace, all that there is to be had. */
const CAPABILITIES =
  `audit_control chown dac_override dac_read_search fowner fsetid ipc_owner kill mac_admin mknod net_admin
  net_bind_service net_raw setfcap setgid setuid sys_admin sys_chroot sys_module sys_ptrace sys_rawio
  sys_resource sys_time syslog bpf perfmon checkpoint_restore`.split(/\s+/)

/** What such a root may: with what is its own dyno's. */
const OF_ROOT = [
  'write /proc/self/setgroups',
  'give a file to root',
  'become root',
  'take another group',
  'see processes of others',
  'CapPrm',
  'CapEff',
  'CapBnd',
]

function inNetworkOf(pid: number): string[] {
  const network = { pid, ticks: processStatus(pid)?.ticks ?? 0 }
  const { hybridMount } = presentCgroups()
  return beginMonitor({ cgroups: [], hybridMount, network })
}

function asRootIn(dyno: DynoId, state: string, knows: Knows): string[] {
  // As an entry has it. Nobody in there may raise that.
  const limits = ['prlimit', `--nofile=${OPEN_FILES}`]
  const crun = ['crun', '--root', state, '--cgroup-manager=cgroupfs', 'exec']
  const who = ['--user', '0:0', '--no-new-privs', '--cwd', '/app']
  const may = CAPABILITIES.flatMap((it) => ['--cap', `CAP_${it.toUpperCase()}`])
  const told = Object.entries(knows).flatMap(([name, value]) => [
    '--env',
    `${name}=${value}`,
  ])
  return [...limits, ...crun, ...who, ...may, ...told, dyno]
}
