/**
 * Starting a dyno. Each step may be the last one that is done: the next call finds how far
 * it came, and goes on from there or clears away and begins again.
 */

import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { chown, readFile, realpath, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import type { DynoId } from '../../model/ids.ts'
import type { DynoSpec, Volume } from '../runtime.ts'
import { RuntimeError } from '../runtime.ts'
import { DYNO_UID, firstUidOf, SLUG_UID } from './address.ts'
import { askOciRuntime } from './ask-oci-runtime.ts'
import { admitClient, startBridge } from './attach-bridge.ts'
import type { Disk, Mapping, Overlay } from './begin-monitor.ts'
import { overlayDisk, writeDisk } from './disk.ts'
import type { DynoFiles, DynoRecord, StartMark } from './dyno-files.ts'
import { dynoStatus } from './dyno-status.ts'
import { ensureLog } from './log-files.ts'
import { createContainer, letGo } from './monitor.ts'
import { dynoNetwork } from './network.ts'
import {
  type DynoSurroundings,
  hostsFile,
  INIT,
  ociConfig,
  SLUG,
  type OwnedPath,
  type OwnedVolume,
} from './oci-config.ts'
import { callOf, type OciRuntime, ociRuntime } from './oci-runtime.ts'
import { processStatus, runsWith } from './process-status.ts'
import { firstPresent, type LocalRegion } from './region.ts'
import { removeDyno } from './remove-dyno.ts'
import { seccompProfile } from './seccomp.ts'
import { contentOf, volumeDisk } from './volume-disk.ts'

/** The same for all dynos. */
const SECCOMP = seccompProfile(process.arch === 'arm64' ? 'arm64' : 'x64')

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
  if (status && (await wasLetGo(files))) return mark(region, files)
  if (status) await removeDyno(region, dyno.id)

  const runtime = ociRuntime(region.ociRuntime?.() ?? 'crun')
  const surrounded = await surroundings(region, dyno, runtime)
  layOut(region, dyno, runtime, surrounded)
  signal.throwIfAborted()
  await region.cgroupsOf(dyno.id).ensure(dyno.size)
  await create(region, dyno, runtime, surrounded)
  if (runtime.takesCompiledFilter) {
    region.seccompFilter.learn(SECCOMP, files.containerState(runtime.name))
  }
  if (dyno.attachment) {
    const { directory, pid: pidFile } = files
    const { monitorProcs } = region.cgroupsOf(dyno.id)
    await startBridge({ directory, pidFile, readers: region.readers, monitorProcs })
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
  if (runtime.waitsAtPipe) {
    return letGo(join(region.files.of(id).containerState(runtime.name), 'exec.fifo'))
  }
  const pid = (await pidIn(region.files.of(id).pid)) ?? 0
  await askOciRuntime(region, runtime, { command: ['start'], id, pid })
}

/** Whether the process was started already and only the mark is missing. */
async function wasLetGo(files: DynoFiles): Promise<boolean> {
  const pid = await pidIn(files.pid)
  return pid !== undefined && runsWith(pid, INIT)
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
  const state = region.files.stateOf(runtime.name)
  mkdirSync(state, { recursive: true, mode: 0o700 })
  const own = existsSync(files.image)
    ? [overlayDisk(files.image, files.disk, userOf(dyno, runtime))]
    : []
  const plan = {
    id: dyno.id,
    name: dyno.name,
    files,
    exits: region.files.exits,
    runtime: callOf(runtime, state),
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
  await createContainer(plan, region.starter)
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
  const record: DynoRecord = { address, port, ociRuntime: runtime.name }
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
  for (const it of mappings) mkdirSync(at(it.at))
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

interface Surroundings {
  readonly around: DynoSurroundings
  /** What is to be mounted before the container is made. */
  readonly mappings: readonly Mapping[]
  readonly overlay: Overlay | undefined
}

async function surroundings(
  region: LocalRegion,
  dyno: DynoSpec,
  runtime: OciRuntime,
): Promise<Surroundings> {
  const files = region.files.of(dyno.id)
  const init = firstPresent('/usr/bin/tini-static', '/usr/bin/tini')
  if (!init) throw new RuntimeError('failed', 'The machine has no tini.')
  const [rootfs, slug, volumes] = await Promise.all([
    rootOf(region, dyno),
    slugOf(region, dyno),
    Promise.all(
      dyno.volumes.map((volume, n) => volumeOf(region, volume, files.volume(n))),
    ),
  ])
  const around = {
    files,
    rootfs,
    init,
    slug,
    hasProfile: !slug || hasProfile(slug.source),
    volumes,
    resolvConf: region.files.resolvConf,
    authorities: firstPresent('/etc/ssl/certs/ca-certificates.crt'),
    cgroup: region.cgroupsOf(dyno.id).path,
    limitsSwap: region.cgroups.limitsSwap,
    seccomp: SECCOMP,
    seccompFilter: runtime.takesCompiledFilter ? region.seccompFilter : undefined,
    app: undefined,
    isKernel: runtime.isKernel,
  }
  if (runtime.mapsOwners) return { around, mappings: [], overlay: undefined }
  const mapped = mappedBefore(around, userOf(dyno, runtime))
  return runtime.isKernel ? madeBefore(mapped) : mapped
}

/** For one that mounts no overlay. */
function madeBefore({ around, mappings }: Surroundings): Surroundings {
  const { files, rootfs, slug } = around
  const { upper, work, app: at } = files
  const overlay = { lower: slug?.source ?? join(rootfs, SLUG), upper, work, at }
  return { around: { ...around, app: at }, mappings, overlay }
}

/** For an OCI runtime that cannot map owners itself. */
function mappedBefore(around: DynoSurroundings, user: number): Surroundings {
  const mappings: Mapping[] = []
  const mapped = <It extends OwnedPath>({ source, ...it }: It) => {
    const at = around.files.mapped(mappings.length)
    const { uid, gid } = it
    // gVisor's files are made by root, and then given to whose they are.
    mappings.push({ source, at, uid, gid, user, withRoot: around.isKernel })
    return { ...it, source: at, isMapped: true }
  }
  const slug = around.slug && mapped(around.slug)
  const volumes = around.volumes.map((it) => mapped(it))
  return { around: { ...around, slug, volumes }, mappings, overlay: undefined }
}

async function rootOf(region: LocalRegion, { stack }: DynoSpec): Promise<string> {
  return realpath(join(region.stacks, stack)).catch((error: unknown) => {
    throw new RuntimeError('failed', `The stack ${stack} is not there.`, error)
  })
}

async function slugOf(
  region: LocalRegion,
  { slug }: DynoSpec,
): Promise<OwnedPath | undefined> {
  if (slug === undefined) return undefined
  const source = join(region.slugs, slug, 'app')
  return ownedPath(source).catch((error: unknown) => {
    throw new RuntimeError('slug_missing', `The slug ${slug} is not there.`, error)
  })
}

function hasProfile(slug: string): boolean {
  return ['.profile', '.profile.d'].some((name) =>
    lstatSync(join(slug, name), { throwIfNoEntry: false }),
  )
}

async function volumeOf(
  region: LocalRegion,
  { from, at, writable, limit }: Volume,
  mounted: string,
): Promise<OwnedVolume> {
  const directory = join(region.root, from)
  if (limit !== undefined) {
    const source = await contentOf(region, directory, mounted)
    return { source, uid: SLUG_UID, gid: SLUG_UID, at, writable }
  }
  const source = directory
  if (writable) await chown(source, SLUG_UID, SLUG_UID)
  return { ...(await ownedPath(source)), at, writable }
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

async function ownedPath(source: string): Promise<OwnedPath> {
  const { uid, gid } = await stat(source)
  return { source, uid, gid }
}

/** The dyno's user as the host sees it. */
function userOf({ address }: DynoSpec, { isKernel }: OciRuntime): number {
  return isKernel ? DYNO_UID : firstUidOf(address) + DYNO_UID
}

async function pidIn(file: string): Promise<number | undefined> {
  if (!existsSync(file)) return undefined
  return Number(await readFile(file, 'utf8')) || undefined
}

async function writeWhole(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text)
  await rename(`${file}.new`, file)
}
