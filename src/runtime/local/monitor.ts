/**
 * conmon: starts a dyno's container and stays with it, whatever becomes of us. It is in a
 * session and in cgroups of its own before it does anything.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants, open, rm } from 'node:fs/promises'

import { SECOND } from '../../lib/clock.ts'
import type { DynoId } from '../../model/ids.ts'
import { beginMonitor, type Disk, type Network } from './begin-monitor.ts'
import type { DynoFiles } from './dyno-files.ts'

const CREATES_WITHIN = 20 * SECOND
const SYNC_DESCRIPTOR = 3
/** Bytes. Then conmon goes on in a new file, and the old one is its readers' alone. */
const LARGEST_LOG = 64 * 1024 ** 2

export interface MonitorPlan {
  readonly id: DynoId
  readonly name: string
  readonly files: DynoFiles
  readonly exits: string
  /** crun's state directory. */
  readonly crun: string
  readonly monitorProcs: readonly string[]
  readonly hybridMount: string | undefined
  /** Undefined: what the dyno writes at /app has no limit. */
  readonly disk?: Disk | undefined
  /** Undefined: the host's own. */
  readonly network?: Network | undefined
}

/** The program and its arguments. */
export function monitorCommand(plan: MonitorPlan): readonly string[] {
  const { monitorProcs: cgroups, hybridMount, disk, network } = plan
  const begin = beginMonitor({ cgroups, hybridMount, disk, network })
  return [...begin, 'conmon', ...monitorArgs(plan)]
}

function monitorArgs({ id, name, files, exits, crun }: MonitorPlan): string[] {
  const runtime = ['--root', crun, '--cgroup-manager=cgroupfs']
  const settings = {
    '--cid': id,
    '--cuuid': id,
    '--name': name,
    '--runtime': '/usr/bin/crun',
    '--bundle': files.directory,
    '--container-pidfile': files.pid,
    '--conmon-pidfile': files.monitorPid,
    '--exit-dir': exits,
    '--persist-dir': files.persist,
    '--log-path': `k8s-file:${files.log}`,
    '--log-level': 'error',
    '--log-size-max': String(LARGEST_LOG),
  }
  return [
    ...Object.entries(settings).flat(),
    ...runtime.flatMap((arg) => ['--runtime-arg', arg]),
    '--full-attach',
    '--no-sync-log',
    '--stdin',
  ]
}

/** Resolves with the dyno's pid when its container waits to be let go. */
export async function createContainer(plan: MonitorPlan): Promise<number> {
  const [program = '', ...args] = monitorCommand(plan)
  const child = spawn(program, args, {
    detached: true,
    cwd: '/',
    env: {
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      _OCI_SYNCPIPE: String(SYNC_DESCRIPTOR),
    },
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  })
  const sync = child.stdio[SYNC_DESCRIPTOR]
  let said = ''
  let errors = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const failed = once(child, 'error').then(([error]) => Promise.reject(error as Error))
  const synced = new Promise<void>((resolve) => {
    sync?.on('data', (bytes: Buffer) => {
      said += bytes.toString()
      if (said.includes('\n')) resolve()
    })
    sync?.once('end', resolve)
    sync?.once('error', () => resolve())
    setTimeout(resolve, CREATES_WITHIN).unref()
  })
  await Promise.race([synced, failed])
  sync?.destroy()
  child.stderr?.destroy()
  child.unref()

  const answer = said.includes('\n') ? (JSON.parse(said) as MonitorAnswer) : { pid: -1 }
  if (answer.pid > 0) return answer.pid
  throw new Error(`conmon started nothing: ${answer.message ?? errors.trim()}`)
}

interface MonitorAnswer {
  readonly pid: number
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
