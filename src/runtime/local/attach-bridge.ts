import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'

import { beginMonitor } from './begin-monitor.ts'
import { runsWith } from './process-status.ts'

const SCRIPT = join(import.meta.dirname, 'attach-bridge.pl')
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin'

export interface BridgePlan {
  /** Where conmon's socket `attach` is, and the client's, `stream.sock`, will be. */
  readonly directory: string
  /** A file with the pid of the process. */
  readonly pidFile: string
  /** The gid that its client may have; undefined: only root. */
  readonly clients: number | undefined
  readonly monitorProcs: readonly string[]
  /** Seconds; then a process without a client is hung up on. Undefined: that is others' to do. */
  readonly patience?: number
}

/**
 * Resolves when all that the process prints from now on is kept for its client, who may come
 * once `admitClient` was called.
 */
export async function startBridge(plan: BridgePlan): Promise<void> {
  const { directory, pidFile, clients, monitorProcs: cgroups } = plan
  const begin = beginMonitor({ cgroups, hybridMount: undefined })
  const its = ['perl', '-w', SCRIPT, directory, String(clients ?? ''), pidFile]
  if (plan.patience !== undefined) its.push(String(plan.patience))
  const [program = '', ...args] = [...begin, ...its]
  const child = spawn(program, args, {
    detached: true,
    cwd: '/',
    env: { PATH },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const [said] = (await Promise.race([
    once(child.stdout, 'data'),
    once(child.stderr, 'close'),
  ])) as [Buffer?]
  child.stdout.destroy()
  child.stderr.destroy()
  child.unref()
  if (!said) throw new Error(`the bridge to a client did not start: ${errors.trim()}`)
}

/** Idempotent; `stream`: the client's socket. The process was let go. */
export async function admitClient(stream: string): Promise<void> {
  await rename(`${stream}.new`, stream).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}

export function isBridge(pid: number): boolean {
  return runsWith(pid, SCRIPT)
}
