/**
 * conmon: starts a dyno's container and stays with it, whatever becomes of us. It is in a
 * session and in cgroups of its own before it does anything.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants, open, rm } from 'node:fs/promises'
import type { Readable, Writable } from 'node:stream'

import { MiB } from '../../lib/bytes.ts'
import { SECOND } from '../../lib/clock.ts'
import { within } from '../../lib/within.ts'
import type { DynoId, EntryId } from '../../model/ids.ts'
import type { Attachment } from '../runtime.ts'
import {
  beginArguments,
  beginMonitor,
  type Disk,
  type Mapping,
  type Overlay,
  type Network,
  type NetworkOf,
} from './begin-monitor.ts'
import type { DynoFiles, EntryFiles } from './dyno-files.ts'
import type { MonitorStarter } from './monitor-starter.ts'

const CREATES_WITHIN = 20 * SECOND
const TOO_LATE = 'it took too long'
/** The descriptor after the standard ones. */
const FIRST_PIPE = 3
/** Bytes. Then conmon goes on in a new file, and the old one is its readers' alone. */
const LARGEST_LOG = 64 * MiB

/**
 * crun's own standard input and output where the dyno's are a terminal; crun gives them to the
 * dyno's user all the same.
 */
const NULL_DEVICE = '/dev/null'

/** A program, and what each call of it begins with. */
export interface RuntimeCall {
  readonly program: string
  readonly settings: readonly string[]
}

export interface MonitorPlan {
  readonly id: DynoId
  readonly name: string
  readonly files: DynoFiles
  readonly exits: string
  readonly runtime: RuntimeCall
  readonly monitorProcs: readonly string[]
  readonly hybridMount: string | undefined
  /** What the dyno prints is its client's, and its log gets nothing. */
  readonly attachment?: Attachment | undefined
  readonly disks?: readonly Disk[]
  readonly mappings?: readonly Mapping[]
  readonly overlay?: Overlay | undefined
  /** Undefined: the host's own. */
  readonly network?: Network | undefined
}

function monitorArgs(plan: MonitorPlan): string[] {
  const { id, name, files, exits, runtime, attachment } = plan
  const settings = {
    '--cid': id,
    '--cuuid': id,
    '--name': name,
    '--bundle': files.directory,
    '--container-pidfile': files.pid,
    '--conmon-pidfile': files.monitorPid,
    '--exit-dir': exits,
    '--persist-dir': files.persist,
    '--log-path': attachment ? 'none' : `k8s-file:${files.log}`,
    '--log-size-max': String(LARGEST_LOG),
  }
  const terminal = attachment?.terminal !== undefined
  return [...Object.entries(settings).flat(), ...usualArgs(runtime, terminal)]
}

/**
 * Resolves with the dyno's pid when its container waits to be let go. Without a starter the
 * monitor is a child of this process.
 */
export async function createContainer(
  plan: MonitorPlan,
  starter?: MonitorStarter,
): Promise<number> {
  const {
    monitorProcs: cgroups,
    hybridMount,
    disks = [],
    mappings = [],
    overlay,
    network,
  } = plan
  const guarded = plan.attachment?.terminal && NULL_DEVICE
  const beginning = { cgroups, hybridMount, guarded, disks, mappings, overlay, network }
  const command = ['conmon', ...monitorArgs(plan)]
  if (starter) {
    const said = starter.begin([...beginArguments(beginning), ...command])
    return pidIn((await within(CREATES_WITHIN, said)) ?? TOO_LATE)
  }
  const all = [...beginMonitor(beginning), ...command]
  return pidToldBy(spawnMonitor(all, { _OCI_SYNCPIPE: FIRST_PIPE }))
}

export interface EntryPlan {
  readonly dyno: DynoId
  readonly id: EntryId
  readonly terminal: boolean
  readonly files: EntryFiles
  readonly runtime: RuntimeCall
  readonly monitorProcs: readonly string[]
  readonly hybridMount: string | undefined
  /** The dyno's: an OCI runtime enters the namespaces that it made itself, and this one it did not. */
  readonly network: NetworkOf
  /** Milliseconds that it may take to begin; undefined: as long as a container. */
  readonly within: number | undefined
}

/** Resolves when the process runs. `ready`: what must be done while it waits to begin. */
export async function enterContainer(
  plan: EntryPlan,
  ready: () => Promise<void>,
): Promise<void> {
  const { monitorProcs: cgroups, hybridMount, network } = plan
  const guarded = plan.terminal ? NULL_DEVICE : undefined
  const begin = beginMonitor({ cgroups, hybridMount, guarded, network })
  const monitor = spawnMonitor([...begin, 'conmon', ...entryArgs(plan)], {
    _OCI_SYNCPIPE: FIRST_PIPE,
    _OCI_STARTPIPE: FIRST_PIPE + 1,
    _OCI_ATTACHPIPE: FIRST_PIPE + 2,
  })
  const told = pidToldBy(monitor, plan.within)
  const [start, attach] = monitor.stdio.slice(4)
  // One that dies says why on its standard error.
  for (const pipe of [start, attach]) pipe?.on('error', () => {})
  const go = () => (start as Writable).write('0')
  // conmon waits twice: before it does anything, and before it starts the process.
  go()
  await Promise.race([once(attach as Readable, 'data'), told])
  await ready()
  go()
  await told
  for (const pipe of [start, attach]) pipe?.destroy()
}

function entryArgs({ dyno, id, terminal, files, runtime }: EntryPlan): string[] {
  const settings = {
    '--cid': dyno,
    '--cuuid': id,
    '--name': id,
    '--bundle': files.directory,
    '--container-pidfile': files.pid,
    '--conmon-pidfile': files.monitorPid,
    '--exit-dir': files.exits,
    '--log-path': 'none',
    '--exec-process-spec': files.process,
  }
  // Of the older interface, entries cannot be attached to before they run.
  const entering = ['--api-version', '1', '--exec', '--exec-attach']
  return [
    ...Object.entries(settings).flat(),
    ...usualArgs(runtime, terminal),
    ...entering,
  ]
}

function usualArgs({ program, settings }: RuntimeCall, terminal: boolean): string[] {
  return [
    '--runtime',
    program,
    '--log-level',
    'error',
    ...settings.flatMap((arg) => ['--runtime-arg', arg]),
    '--full-attach',
    '--no-sync-log',
    '--stdin',
    ...(terminal ? ['--terminal'] : []),
  ]
}

/** In a session of its own; `pipes`: what it knows them by. Errors are said on stderr. */
function spawnMonitor(
  [program = '', ...args]: readonly string[],
  pipes: Readonly<Record<string, number>>,
): ChildProcess {
  const numbers = Object.entries(pipes).map(([name, at]) => [name, String(at)])
  return spawn(program, args, {
    detached: true,
    cwd: '/',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...Object.fromEntries(numbers) },
    stdio: ['ignore', 'ignore', 'pipe', ...numbers.map(() => 'pipe' as const)],
  })
}

async function pidToldBy(
  monitor: ChildProcess,
  patience = CREATES_WITHIN,
): Promise<number> {
  const sync = monitor.stdio[FIRST_PIPE]
  let said = ''
  let errors = ''
  monitor.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const failed = once(monitor, 'error').then(([error]) => Promise.reject(error as Error))
  const synced = new Promise<void>((resolve) => {
    sync?.on('data', (bytes: Buffer) => {
      said += bytes.toString()
      if (said.includes('\n')) resolve()
    })
    sync?.once('end', resolve)
    sync?.once('error', () => resolve())
    const late = () => {
      errors += TOO_LATE
      resolve()
    }
    setTimeout(late, patience).unref()
  })
  await Promise.race([synced, failed])
  sync?.destroy()
  monitor.stderr?.destroy()
  monitor.unref()

  return pidIn(said.includes('\n') ? said : errors.trim())
}

/** Of what conmon said: its answer, or why it has none. */
function pidIn(said: string): number {
  // A second line tells of the end of what has ended at once.
  const [first = ''] = said.split('\n')
  const answer = first.startsWith('{') ? (JSON.parse(first) as MonitorAnswer) : {}
  const pid = answer.pid ?? answer.data ?? -1
  if (pid > 0) return pid
  throw new Error(`conmon started nothing: ${answer.message ?? said}`)
}

interface MonitorAnswer {
  readonly pid?: number
  /** The pid's name in the newer interface. */
  readonly data?: number
  readonly message?: string
}

/**
 * Lets a created container go, as `crun start` does but without a process of its own: it
 * waits for a byte on this pipe. Does nothing when nobody waits there any more.
 */
export async function letGo(execFifo: string): Promise<void> {
  let pipe
  try {
    pipe = await open(execFifo, constants.O_WRONLY | constants.O_NONBLOCK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENXIO') return
    throw error
  }
  await pipe.write('0')
  await pipe.close()
  await rm(execFifo, { force: true })
}
