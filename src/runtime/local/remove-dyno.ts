/** Ending a dyno and freeing what it holds. */

import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { pause, SECOND } from '../../lib/clock.ts'
import { removeTree } from '../../lib/remove-tree.ts'
import type { DynoId } from '../../model/ids.ts'
import { askOciRuntime } from './ask-oci-runtime.ts'
import { isBridge } from './attach-bridge.ts'
import type { DynoFiles } from './dyno-files.ts'
import { livingInit, ociRuntimeOf, recordOf } from './dyno-status.ts'
import { ensureLog } from './log-files.ts'
import { signalMachine } from './machine.ts'
import { removeLink } from './network.ts'
import { signalProcess } from './process-status.ts'
import type { LocalRegion } from './region.ts'

/** After its dyno is gone, a monitor writes what is left of the log, and how it ended. */
const MONITOR_ENDS_WITHIN = 2 * SECOND
const PROCESSES_END_WITHIN = 10 * SECOND
const LOOK_EVERY = 2

/** To all but PID 1, which would only pass it on to one of them a second time. */
export async function signalProcesses(
  region: LocalRegion,
  id: DynoId,
  signal: 'SIGTERM' | 'SIGHUP',
): Promise<void> {
  const files = region.files.of(id)
  const runtime = ociRuntimeOf(files)
  const init = livingInit(region, files)
  if (runtime.isKernel) {
    if (!init) return
    const command = ['kill', signal]
    // It may have ended by itself.
    await askOciRuntime(region, runtime, { command, id, pid: init.pid }).catch(() => {})
    return
  }
  if (runtime.isMachine) {
    if (init) signalMachine(files, signal)
    return
  }
  const cgroups = region.cgroupsOf(id)
  const signalled = new Set(init ? [init.pid] : [])
  // What is forked meanwhile is seen the next time round.
  for (let round = 0; round < 3; round++) {
    for (const pid of cgroups.processes()) {
      if (!signalled.has(pid)) signalProcess(pid, signal)
      signalled.add(pid)
    }
  }
}

/** SIGKILL to PID 1 is SIGKILL to all. */
export function killProcesses(region: LocalRegion, id: DynoId): void {
  for (const pid of region.cgroupsOf(id).processes()) signalProcess(pid, 'SIGKILL')
}

/**
 * Frees all that a dyno holds; its directory last, and at once, for it is what `list` and
 * `status` go by. What is then left of it is swept away by `prepare`.
 */
export async function removeDyno(region: LocalRegion, id: DynoId): Promise<void> {
  const files = region.files.of(id)
  if (!existsSync(files.directory)) return
  await end(region, id)

  const address = recordOf(files)?.address
  const { name, keeps } = ociRuntimeOf(files)
  const state = region.files.stateOf(name)
  await Promise.all([
    address ? removeLink(region.names.link(address)) : undefined,
    region.cgroupsOf(id).remove(),
    ...keeps(id).map((it) => rm(join(state, it), { recursive: true, force: true })),
  ])
  await keepLog(region, files, id)
  const remains = `${files.directory}.gone`
  await rename(files.directory, remains)
  await rm(files.exit, { force: true })
  await removeTree(remains)
}

async function end(region: LocalRegion, id: DynoId): Promise<void> {
  const cgroups = region.cgroupsOf(id)
  const started = performance.now()
  for (;;) {
    killProcesses(region, id)
    const waited = performance.now() - started
    const left = [...cgroups.processes(), ...cgroups.monitors()]
    if (left.length === 0) return
    if (waited > PROCESSES_END_WITHIN) {
      throw new Error(`dyno ${id} has processes that do not end: ${left.join(' ')}`)
    }
    for (const pid of cgroups.monitors()) {
      // What its client has not read by now is gone with the dyno.
      if (isBridge(pid) || waited > MONITOR_ENDS_WITHIN) signalProcess(pid, 'SIGKILL')
    }
    await pause(LOOK_EVERY)
  }
}

async function keepLog(
  region: LocalRegion,
  { log }: DynoFiles,
  id: DynoId,
): Promise<void> {
  if (!existsSync(region.endedLogs) || !existsSync(log)) return
  ensureLog(log, region.readers)
  await rename(log, join(region.endedLogs, `${id}.log`)).catch(unlessDirectory)
}

/** Who reads it may write there, too: a directory in its place loses it, and keeps no dyno. */
function unlessDirectory(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EISDIR') throw error
}
