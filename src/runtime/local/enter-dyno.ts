/** Starting one more process inside a running dyno, for a client. */

import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { pause } from '../../lib/clock.ts'
import { type DynoId, type EntryId, isUuid } from '../../model/ids.ts'
import { type Entry, RuntimeError } from '../runtime.ts'
import { admitClient, startBridge } from './attach-bridge.ts'
import { livingInit, ociRuntimeOf } from './dyno-status.ts'
import { enterContainer } from './monitor.ts'
import { callOf } from './oci-runtime.ts'
import { entryProcess, type OciConfig } from './oci-config.ts'
import { dynoRunsWith, processStatus, signalProcess } from './process-status.ts'
import type { LocalRegion } from './region.ts'

/** Each has a monitor, and a bridge to its client, beside the dyno's own limits. */
const MOST_ENTRIES = 50
const LOOK_EVERY = 2
/** Seconds. */
const CLIENT_COMES_WITHIN = 30
const PASSABLE = 0o711
const FOR_THE_GROUP = 0o660

export async function enterDyno(
  region: LocalRegion,
  dyno: DynoId,
  entry: Entry,
): Promise<void> {
  const init = livingInit(region, region.files.of(dyno))
  if (!init) throw notRunning(dyno)
  if (ociRuntimeOf(region.files.of(dyno)).isMachine) {
    throw new RuntimeError('not_enterable', `Dyno ${dyno} is a virtual machine.`)
  }
  const files = region.files.entry(dyno, entry.id)
  if (existsSync(files.pid)) return admitClient(files.stream)
  const running = await forgetEnded(region, dyno)
  if (running >= (region.mostEntries ?? MOST_ENTRIES)) {
    throw new RuntimeError('too_many_entries', `In dyno ${dyno} ${running} run already.`)
  }
  await rm(files.directory, { recursive: true, force: true })

  const { clients } = region
  await mkdir(files.directory, { mode: PASSABLE })
  await mkdir(files.exits)
  const config = JSON.parse(
    await readFile(region.files.of(dyno).config, 'utf8'),
  ) as OciConfig
  const process = JSON.stringify(entryProcess(entry, config))
  await writeFile(files.process, process, { mode: 0o600 })
  const cgroups = region.cgroupsOf(dyno)
  await cgroups.ensureMonitor()
  const { monitorProcs } = cgroups
  const plan = {
    dyno,
    id: entry.id,
    terminal: entry.terminal !== undefined,
    files,
    runtime: callOf(ociRuntimeOf(region.files.of(dyno)), region.files),
    monitorProcs,
    hybridMount: region.cgroups.hybridMount,
    network: { pid: init.pid, ticks: init.ticks },
    within: region.entersWithin,
  }
  const { directory, pid: pidFile } = files
  const bridge = { directory, pidFile, clients, monitorProcs }
  try {
    await enterContainer(plan, async () => {
      await startBridge({ ...bridge, patience: CLIENT_COMES_WITHIN })
      // The client may tell the size of its terminal.
      if (clients !== undefined) await chown(files.control, 0, clients)
      await chmod(files.control, FOR_THE_GROUP)
    })
  } catch (error) {
    await endEntry(region, dyno, entry.id)
    throw error
  }
  await admitClient(files.stream)
}

export function notRunning(dyno: DynoId): RuntimeError {
  return new RuntimeError('not_running', `Dyno ${dyno} does not run.`)
}

/**
 * Of an entry that did not begin: its monitor, the OCI runtime and what that was about to make the process of.
 * Until it has become the dyno's command, that is the dyno's user's already, who may stop it for ever.
 */
async function endEntry(
  region: LocalRegion,
  dyno: DynoId,
  entry: EntryId,
): Promise<void> {
  const cgroups = region.cgroupsOf(dyno)
  // What is forked meanwhile is seen the next time round. More of them are the dyno's own: it reads the id, too.
  for (let round = 0; round < 3; round++) {
    for (const pid of [...cgroups.monitors(), ...cgroups.processes()]) {
      if (await dynoRunsWith(pid, entry)) signalProcess(pid, 'SIGKILL')
    }
    await pause(LOOK_EVERY)
  }
  await rm(region.files.entry(dyno, entry).directory, { recursive: true, force: true })
}

/**
 * What an entry leaves is not needed once its process and its monitor are gone. Resolves to how
 * many are left.
 */
async function forgetEnded(region: LocalRegion, dyno: DynoId): Promise<number> {
  let left = 0
  const { directory } = region.files.of(dyno)
  for (const name of await readdir(directory)) {
    if (!isUuid(name)) continue
    const files = region.files.entry(dyno, name as EntryId)
    const monitor = Number(await readFile(files.monitorPid, 'utf8').catch(() => ''))
    const lives =
      processStatus(monitor) !== undefined && (await dynoRunsWith(monitor, name))
    if (lives) left += 1
    else await rm(join(directory, name), { recursive: true, force: true })
  }
  return left
}
