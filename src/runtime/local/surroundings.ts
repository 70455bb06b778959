/** What a dyno is given before its container is made: from where, whose, and how it is mounted. */

import { lstatSync } from 'node:fs'
import { chown, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'

import { hardCoreLimit, hardFileLimit } from '../../lib/hard-file-limit.ts'
import { type DynoSpec, RuntimeError, type Volume } from '../runtime.ts'
import { DYNO_UID, firstUidOf, SLUG_UID } from './address.ts'
import type { Mapping, Overlay } from './begin-monitor.ts'
import { ensureMachinePlaces, MACHINE_INIT, machineMappings } from './machine.ts'
import {
  type DynoSurroundings,
  type OwnedPath,
  type OwnedVolume,
  SLUG,
} from './oci-config.ts'
import type { OciRuntime } from './oci-runtime.ts'
import { firstPresent, type LocalRegion } from './region.ts'
import { seccompProfile } from './seccomp.ts'
import { slugMissing } from './slug-missing.ts'
import { contentOf } from './volume-disk.ts'

/** The same for all dynos. */
const MOST_FILES = hardFileLimit()
const MOST_CORE = hardCoreLimit()
export const SECCOMP = seccompProfile(process.arch === 'arm64' ? 'arm64' : 'x64')

export interface Surroundings {
  readonly around: DynoSurroundings
  /** What is to be mounted before the container is made. */
  readonly mappings: readonly Mapping[]
  readonly overlay: Overlay | undefined
}

export async function surroundings(
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
    init: runtime.isMachine ? MACHINE_INIT : init,
    slug,
    hasProfile: !slug || hasProfile(slug.source),
    volumes,
    resolvConf: region.files.resolvConf,
    authorities: firstPresent('/etc/ssl/certs/ca-certificates.crt'),
    cgroup: region.cgroupsOf(dyno.id).path,
    limitsSwap: region.cgroups.limitsSwap,
    mostFiles: MOST_FILES,
    mostCore: MOST_CORE,
    seccomp: SECCOMP,
    seccompFilter: runtime.takesCompiledFilter ? region.seccompFilter : undefined,
    isKernel: runtime.isKernel,
    isMachine: runtime.isMachine,
  }
  if (runtime.mapsOwners) return { around, mappings: [], overlay: undefined }
  const mapped = mappedBefore(around, userOf(dyno, runtime))
  if (runtime.isMachine) {
    ensureMachinePlaces(rootfs)
    const mappings = [...mapped.mappings, ...machineMappings(files, rootfs)]
    return { ...mapped, mappings, overlay: undefined }
  }
  return { ...mapped, overlay: runtime.isKernel ? overlayOf(mapped.around) : undefined }
}

/** Of /app, for one that mounts none. */
function overlayOf({ files, rootfs, slug }: DynoSurroundings): Overlay {
  const { upper, work, app: at } = files
  return { lower: slug?.source ?? join(rootfs, SLUG), upper, work, at }
}

/** For an OCI runtime that cannot map owners itself. */
function mappedBefore(
  around: DynoSurroundings,
  user: number,
): Omit<Surroundings, 'overlay'> {
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
  return { around: { ...around, slug, volumes }, mappings }
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
  return ownedPath(source).catch(slugMissing(slug))
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

async function ownedPath(source: string): Promise<OwnedPath> {
  const { uid, gid } = await stat(source)
  return { source, uid, gid }
}

/** The dyno's user as the host sees it. */
export function userOf({ address }: DynoSpec, { isKernel }: OciRuntime): number {
  return isKernel ? DYNO_UID : firstUidOf(address) + DYNO_UID
}
