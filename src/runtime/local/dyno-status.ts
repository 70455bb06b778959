/** What is true of a dyno, read from its files and from /proc. */

import { existsSync, readFileSync, statSync } from 'node:fs'

import type { DynoId } from '../../model/ids.ts'
import type { DynoStatus } from '../runtime.ts'
import type { DynoFiles, DynoRecord, StartMark } from './dyno-files.ts'
import { ranOutOfMemory } from './machine.ts'
import { type OciRuntime, ociRuntime } from './oci-runtime.ts'
import { processStatus, runsWith } from './process-status.ts'
import type { LocalRegion } from './region.ts'

export function dynoStatus(region: LocalRegion, id: DynoId): DynoStatus | undefined {
  const files = region.files.of(id)
  if (beganBefore(region, files)) return { is: 'lost', withHost: true }
  return (
    exited(region, id, files) ??
    running(region, files) ??
    (existsSync(files.directory) ? ofNoProcess(region, id, files) : undefined)
  )
}

/**
 * Whether the machine was started anew since. Then how the dyno ended does not matter, though its
 * monitor may have written that down: a machine that stops in order sends SIGTERM to all, and a dyno
 * ends as it likes at that, with 143, 0 or what its program says, a moment before its monitor. Who
 * ends while a manager looks has its end seen within a second, so an end first seen by a later boot
 * came with the host's own, or while nobody looked: then a crash is told as the machine's fault,
 * and a release's command that ended well is not believed.
 */
function beganBefore({ boot }: LocalRegion, files: DynoFiles): boolean {
  const began = [recordOf(files)?.boot, markOf(files)?.boot]
  return began.some((it) => it !== undefined && it !== boot)
}

/** Between a process's end and the file that tells of it, only the monitor is alive. */
function ofNoProcess(region: LocalRegion, id: DynoId, files: DynoFiles): DynoStatus {
  if (monitorLives(files, id)) return ending(files)
  return exited(region, id, files) ?? gone(files)
}

/** The host's pid of the dyno's PID 1, while it lives. */
export function livingInit(
  region: LocalRegion,
  files: DynoFiles,
): (Pick<StartMark, 'pid' | 'ticks'> & { readonly startedAt: Date }) | undefined {
  const mark = markOf(files)
  if (mark?.boot !== region.boot) return undefined
  if (processStatus(mark.pid)?.ticks !== mark.ticks) return undefined
  const { pid, ticks } = mark
  return { pid, ticks, startedAt: statSync(files.started).mtime }
}

export function recordOf(files: DynoFiles): DynoRecord | undefined {
  return jsonIn(files.record) as DynoRecord | undefined
}

/** What made the dyno's container. */
export function ociRuntimeOf(files: DynoFiles): OciRuntime {
  return ociRuntime(recordOf(files)?.ociRuntime ?? 'crun')
}

function exited(
  region: LocalRegion,
  id: DynoId,
  files: DynoFiles,
): DynoStatus | undefined {
  const at = statSync(files.exit, { throwIfNoEntry: false })?.mtime
  if (!at) return undefined
  const status = Number(textIn(files.exit))
  const kill = region.cgroupsOf(id).memoryKill()
  const killedForMemory =
    kill === 'limit' ||
    // Monitors write it of others' kills, too, where there are cgroups of version 1.
    (kill === undefined && existsSync(`${files.persist}/oom`)) ||
    (status !== 0 && ociRuntimeOf(files).isMachine && ranOutOfMemory(files))
  // A process of several may have been killed for memory long before it was told to end.
  const matters = status !== 0 && !existsSync(files.terminated)
  // Its end may be written down before it is noted that it was let go.
  const started = startOf(files)
  return {
    is: 'exited',
    startedAt: started && started < at ? started : at,
    at,
    status,
    outOfMemory: killedForMemory && matters,
    ...(kill === 'host' && !killedForMemory && matters ? { hostOutOfMemory: true } : {}),
  }
}

function running(region: LocalRegion, files: DynoFiles): DynoStatus | undefined {
  const init = livingInit(region, files)
  if (!init) return undefined
  return {
    is: 'running',
    startedAt: init.startedAt,
    listening: existsSync(files.listening),
    terminated: existsSync(files.terminated),
    ...(monitorIsThere(files) ? {} : { monitored: false }),
  }
}

function ending(files: DynoFiles): DynoStatus {
  const startedAt = startOf(files)
  if (!startedAt) return { is: 'created' }
  const terminated = existsSync(files.terminated)
  return { is: 'running', startedAt, listening: false, terminated }
}

function gone(files: DynoFiles): DynoStatus {
  const wasLetGo = existsSync(files.started) || existsSync(files.lettingGo)
  return { is: wasLetGo ? 'lost' : 'created' }
}

function markOf(files: DynoFiles): StartMark | undefined {
  return jsonIn(files.started) as StartMark | undefined
}

/** Only that there is a process of that number: each look asks after each dyno. */
function monitorIsThere(files: DynoFiles): boolean {
  return processStatus(Number(textIn(files.monitorPid))) !== undefined
}

function monitorLives(files: DynoFiles, id: DynoId): boolean {
  const pid = Number(textIn(files.monitorPid))
  return pid > 0 && processStatus(pid) !== undefined && runsWith(pid, 'conmon', id)
}

function startOf(files: DynoFiles): Date | undefined {
  return statSync(files.started, { throwIfNoEntry: false })?.mtime
}

function jsonIn(file: string): unknown {
  const text = textIn(file)
  return text ? JSON.parse(text) : undefined
}

function textIn(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
