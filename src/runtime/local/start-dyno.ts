/**
 * Starting a dyno. Each step may be the last one that is done: the next call finds how far
 * it came, and goes on from there or clears away and begins again.
 */

import {
  chownSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import type { DynoId } from '../../model/ids.ts'
import type { DynoSpec } from '../runtime.ts'
import { askOciRuntime, LateAnswer } from './ask-oci-runtime.ts'
import { admitClient, startBridge } from './attach-bridge.ts'
import type { Disk } from './begin-monitor.ts'
import { overlayDisk, writeDisk } from './disk.ts'
import type { DynoFiles, DynoRecord, StartMark } from './dyno-files.ts'
import { dynoStatus, ociRuntimeOf } from './dyno-status.ts'
import { ensureLog } from './log-files.ts'
import { SIGNALS } from './machine-tables.ts'
import { writeMachineFiles } from './machine.ts'
import { createContainer, letGo } from './monitor.ts'
import { dynoNetwork } from './network.ts'
import { commandOf, hostsFile, INIT, ociConfig } from './oci-config.ts'
import { callOf, type OciRuntime, ociRuntime } from './oci-runtime.ts'
import { processStatus, runsWith } from './process-status.ts'
import type { LocalRegion } from './region.ts'
import { removeDyno } from './remove-dyno.ts'
import { SECCOMP, type Surroundings, surroundings, userOf } from './surroundings.ts'
import { volumeDisk } from './volume-disk.ts'

/** Others reach what lies below by its name; only root and the readers may list it. */
const PASSABLE = 0o751

export async function startDyno(
  region: LocalRegion,
  dyno: DynoSpec,
  signal: AbortSignal,
): Promise<void> {
  const status = dynoStatus(region, dyno.id)
  if (status && status.is !== 'created') return
  const files = region.files.of(dyno.id)
  if (status && (await wasLetGo(region, dyno.id))) return mark(region, files)
  if (status) await removeDyno(region, dyno.id)

  const runtime = ociRuntime(region.ociRuntime?.() ?? 'crun')
  const surrounded = await surroundings(region, dyno, runtime)
  layOut(region, dyno, runtime, surrounded)
  signal.throwIfAborted()
  await region.cgroupsOf(dyno.id).ensure(dyno.size)
  await create(region, dyno, runtime, surrounded)
  region.cgroupsOf(dyno.id).limitTcp(dyno.size)
  if (runtime.takesCompiledFilter) {
    region.seccompFilter.learn(SECCOMP, join(region.files.stateOf(runtime.name), dyno.id))
  }
  if (dyno.attachment) {
    const { directory, pid: pidFile } = files
    const { monitorProcs } = region.cgroupsOf(dyno.id)
    const { clients } = region
    await startBridge({ directory, pidFile, clients, monitorProcs })
  }
  await release(region, dyno.id, runtime)
  await mark(region, files)
}

/** Lets the created container go. */
async function release(
  region: LocalRegion,
  id: DynoId,
  runtime: OciRuntime,
): Promise<void> {
  const files = region.files.of(id)
  // Of a plain process it is seen by its words whether it was let go.
  if (!runtime.waitsAtPipe || runtime.isMachine) writeFileSync(files.lettingGo, '')
  await letGoOnce(region, id, runtime)
}

/** Does nothing where it was let go before. */
async function letGoOnce(
  region: LocalRegion,
  id: DynoId,
  runtime: OciRuntime,
): Promise<void> {
  if (!runtime.waitsAtPipe) return letGoByCommand(region, id, runtime)
  await letGo(join(region.files.stateOf(runtime.name), id, 'exec.fifo'))
}

/** One that lets it go at this moment, of a manager that died, keeps others out until it has. */
async function letGoByCommand(
  region: LocalRegion,
  id: DynoId,
  runtime: OciRuntime,
): Promise<void> {
  const pid = (await pidIn(region.files.of(id).pid)) ?? 0
  const ask = (command: string) =>
    askOciRuntime(region, runtime, { command: [command], id, pid })
  try {
    await ask('start')
  } catch (error) {
    // The next look asks: with this wait, too, this one might outlast its lease.
    if (error instanceof LateAnswer) throw error
    const { status } = JSON.parse(await ask('state')) as { readonly status: string }
    if (status === 'created') throw error
  }
}

/**
 * Whether the process was started already and only the mark is missing. A container that was to be let go
 * by a command is let go now, if it was not: to make another might start the process a second time.
 */
async function wasLetGo(region: LocalRegion, id: DynoId): Promise<boolean> {
  const files = region.files.of(id)
  const runtime = ociRuntimeOf(files)
  const pid = await pidIn(files.pid)
  if (pid === undefined) return false
  if (runtime.waitsAtPipe && !runtime.isMachine) return runsWith(pid, INIT)
  if (!existsSync(files.lettingGo)) return false
  await letGoOnce(region, id, runtime)
  return true
}

/** Lets its client come, and remembers which process it is, and when it began. */
async function mark(region: LocalRegion, files: DynoFiles): Promise<void> {
  await admitClient(files.stream)
  const pid = (await pidIn(files.pid)) ?? 0
  const ticks = processStatus(pid)?.ticks ?? 0
  const text: StartMark = { pid, ticks, boot: region.boot }
  await writeWhole(files.started, JSON.stringify(text))
}

async function create(
  region: LocalRegion,
  dyno: DynoSpec,
  runtime: OciRuntime,
  { mappings, overlay }: Surroundings,
): Promise<void> {
  const files = region.files.of(dyno.id)
  const own = existsSync(files.image)
    ? [overlayDisk(files.image, files.disk, userOf(dyno, runtime))]
    : []
  const plan = {
    id: dyno.id,
    name: dyno.name,
    files,
    exits: region.files.exits,
    runtime: callOf(runtime, region.files),
    attachment: dyno.attachment,
    monitorProcs: region.cgroupsOf(dyno.id).monitorProcs,
    hybridMount: region.cgroups.hybridMount,
    disks: [...own, ...(await volumeDisks(region, dyno))],
    mappings,
    overlay,
    network: dynoNetwork(region.network, {
      link: region.names.link(dyno.address),
      address: dyno.address,
    }),
  }
  const pid = await createContainer(plan, region.starter)
  // Not by the configuration: of crun, all dynos together would then have as many. gVisor keeps none of its own here.
  if (!runtime.isKernel) await region.starter.limitSignals(pid, SIGNALS)
}

/** The dyno's directory with all it needs to be created; it appears whole or not at all. */
function layOut(
  region: LocalRegion,
  dyno: DynoSpec,
  runtime: OciRuntime,
  { around, mappings, overlay }: Surroundings,
): void {
  const { files } = around
  const draft = `${files.directory}.new`
  const config = ociConfig(dyno, around)
  const { address, port } = dyno
  const { boot } = region
  const record: DynoRecord = { address, port, ociRuntime: runtime.name, boot }
  const at = (file: string) => file.replace(files.directory, draft)
  const user = userOf(dyno, runtime)

  // A dozen small calls: together they are done sooner than one can be awaited.
  rmSync(draft, { recursive: true, force: true })
  mkdirSync(draft, { mode: PASSABLE })
  writeFileSync(at(files.record), JSON.stringify(record))
  writeFileSync(at(files.config), JSON.stringify(config), { mode: 0o600 })
  writeFileSync(at(files.hosts), hostsFile(dyno))
  if (dyno.metadata !== undefined) writeFileSync(at(files.metadata), dyno.metadata)
  const logs = dyno.attachment ? [] : [files.log, files.spareLog]
  for (const log of logs) ensureLog(at(log), region.readers)
  mkdirSync(at(files.persist))
  mkdirSync(at(files.disk), { mode: PASSABLE })
  for (const it of dyno.volumes.keys()) mkdirSync(at(files.volume(it)))
  if (runtime.isMachine) writeMachineFiles(dyno, commandOf(dyno, around), files, at)
  for (const it of mappings) {
    // A machine's configuration is mounted over a file of the stack's.
    if (it.at.startsWith(files.directory)) mkdirSync(at(it.at))
  }
  if (overlay) mkdirSync(at(overlay.at))
  if (!writeDisk(region.files.diskTemplate, at(files.image))) {
    for (const layer of [files.upper, files.work]) {
      mkdirSync(at(layer))
      chownSync(at(layer), user, user)
    }
  }
  if (region.readers !== undefined) chownSync(draft, 0, region.readers)
  renameSync(draft, files.directory)
}

/** Of the volumes that have a limit. */
async function volumeDisks(region: LocalRegion, dyno: DynoSpec): Promise<Disk[]> {
  const disks: Disk[] = []
  if (!existsSync(region.files.diskTemplate)) return disks
  const files = region.files.of(dyno.id)
  for (const [n, { from, limit }] of dyno.volumes.entries()) {
    if (limit === undefined) continue
    disks.push(await volumeDisk(join(region.root, from), limit, files.volume(n)))
  }
  return disks
}

async function pidIn(file: string): Promise<number | undefined> {
  if (!existsSync(file)) return undefined
  return Number(await readFile(file, 'utf8')) || undefined
}

async function writeWhole(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text)
  await rename(`${file}.new`, file)
}
